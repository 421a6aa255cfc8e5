package entry

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/u-root/u-root/pkg/boot/bzimage"
	"golang.org/x/arch/x86/x86asm"

	"ringo/x86/asm/asmtest"
)

func payload() Payload {
	return Payload{
		Virt: 0x400000, Data: bytes.Repeat([]byte{0xf4}, 0x1234), Size: 0x321000, Entry: 0x401000,
		Segments: []Segment{{Virt: 0x400000, Size: 0x1234, Flags: SegmentR | SegmentX}},
	}
}

func TestHandoffLayout(t *testing.T) {
	want := map[string]uintptr{
		"Magic": HandoffMagic, "BootParams": HandoffBootParams, "ImagePhys": HandoffImagePhys,
		"ImageVirt": HandoffImageVirt, "ImageSize": HandoffImageSize, "ReservedPhys": HandoffReservedPhys,
		"ReservedSize": HandoffReservedSize, "APTrampoline": HandoffAPTrampoline,
		"APTrampolineSize": HandoffAPTrampolineSize, "EntryTSC": HandoffEntryTSC,
		"ProtocolEntry": HandoffProtocolEntry, "Segments": HandoffSegments,
	}
	record := reflect.TypeFor[Handoff]()
	require.Equal(t, uintptr(HandoffSize), record.Size())
	require.Equal(t, len(want), record.NumField())
	for i := range record.NumField() {
		f := record.Field(i)
		require.Equal(t, want[f.Name], f.Offset, f.Name)
	}
	magic := binary.LittleEndian.AppendUint64(nil, Magic)
	require.Equal(t, "RINGOHO1", string(magic))
}

func TestCodeDisassembles(t *testing.T) {
	blob := asmtest.Check(t, apTrampoline())
	require.Len(t, blob, APTrampolineSize)
	p := payload()
	require.Len(t, asmtest.Check(t, head(p, newLayout(p), blob)), headSize)
	code := asmtest.Check(t, setup())
	require.Zero(t, len(code)%512)
	require.LessOrEqual(t, len(code), 64*512, "the setup part may have 64 sectors at most")
}

// TestAPParameters: the code reads every parameter at its documented offset.
func TestAPParameters(t *testing.T) {
	a := apTrampoline()
	code := asmtest.Check(t, a)
	read := map[int64]bool{}
	for _, i := range a.Listing() {
		d, err := x86asm.Decode(code[i.Offset:i.Offset+i.Size], int(i.Mode))
		if err != nil {
			continue
		}
		if m, ok := d.Args[1].(x86asm.Mem); ok && (m.Base == x86asm.EBX || m.Base == x86asm.RBX) {
			read[m.Disp] = true
		}
	}
	for _, param := range []int64{APParamCR3, APParamEntry, APParamStack, APParamArgument, APParamEFER, APParamEFER + 4, APParamCR4, APParamCR0} {
		require.True(t, read[param], "%#x", param)
	}
	require.Equal(t, make([]byte, APTrampolineSize-APParamCR3), code[APParamCR3:])
}

func TestHeader(t *testing.T) {
	p := payload()
	l := newLayout(p)
	image, err := Image(p)
	require.NoError(t, err)
	var h bzimage.LinuxHeader
	require.NoError(t, h.UnmarshalBinary(image))
	setupSize := 512 * (int(h.SetupSects) + 1)

	require.Equal(t, "HdrS", string(h.HeaderMagic[:]))
	require.Equal(t, uint16(0x20f), h.Protocolversion)
	require.Equal(t, uint16(0xaa55), h.Bootsectormagic)
	require.Equal(t, uint8(0x81), h.Loadflags)
	require.Equal(t, uint32(0x100000), h.Code32Start)
	require.Equal(t, uint8(1), h.RelocatableKernel)
	require.Equal(t, uint32(1)<<h.MinAlignment, h.Kernelalignment)
	require.GreaterOrEqual(t, h.CmdLineSize, uint32(2047))
	require.GreaterOrEqual(t, h.InitrdAddrMax, uint32(0x7fffffff))
	require.Equal(t, len(image), setupSize+16*int(h.Syssize))
	require.Zero(t, binary.LittleEndian.Uint32(image[0x264:]), "handover_offset")
	require.Equal(t, "Ringo\x00", string(image[int(h.Kveraddr)+0x200:][:6]))
	require.Equal(t, uint16(1), binary.LittleEndian.Uint16(image[0x236:]), "xloadflags")
	require.Equal(t, byte(0xeb), image[0x200])
	require.Equal(t, headerEnd, 0x202+int(image[0x201]), "the jump reaches the first code")

	require.Equal(t, uint32(l.end), binary.LittleEndian.Uint32(image[0x260:]), "init_size")
	prefer := binary.LittleEndian.Uint64(image[0x258:])
	require.Zero(t, prefer%uint64(h.Kernelalignment))
	require.GreaterOrEqual(t, prefer, p.Virt+p.Size)
	info := setupSize + int(binary.LittleEndian.Uint32(image[0x268:]))
	require.Equal(t, "LToP", string(image[info:][:4]))

	require.Equal(t, make([]byte, headerOffset), image[:headerOffset], "room for a PE header")
	require.Equal(t, p.Data, image[setupSize+headSize:][:len(p.Data)])
	// Both entries start with CLI; CLD.
	require.Equal(t, []byte{0xfa, 0xfc}, image[setupSize:][:2])
	require.Equal(t, []byte{0xfa, 0xfc}, image[setupSize+entry64Offset:][:2])
}

func TestLayoutCoversEverything(t *testing.T) {
	for _, size := range []uint64{1, 0x1000, 0x1ff000, 0x200000, 0x200001, MaxImageSize} {
		for _, virt := range []uint64{0x400000, 0x401000, 0x5ff000, 0x40000000 - 0x1000} {
			p := Payload{Virt: virt, Size: size, Data: []byte{1}, Entry: virt}
			require.NoError(t, p.check())
			l := newLayout(p)
			require.LessOrEqual(t, l.firstPT, virt)
			require.GreaterOrEqual(t, l.firstPT+l.pts*largePage, virt+l.imageSize)
			require.Less(t, l.firstPT+(l.pts-1)*largePage, virt+l.imageSize)
			require.GreaterOrEqual(t, l.tables, l.fileEnd&^(pageSize-1))
			require.GreaterOrEqual(t, l.imageSize, size)
			require.Equal(t, l.tables+tablePT+l.pts*pageSize, l.end)
			require.Less(t, l.end, uint64(1)<<32)
		}
	}
}

func TestBadPayload(t *testing.T) {
	for name, change := range map[string]func(p *Payload){
		"not on a page":   func(p *Payload) { p.Virt++ },
		"empty":           func(p *Payload) { p.Size = 0 },
		"data too long":   func(p *Payload) { p.Size = uint64(len(p.Data)) - 1 },
		"too large":       func(p *Payload) { p.Size = MaxImageSize + 1 },
		"too high":        func(p *Payload) { p.Virt = fourGiB - largePage },
		"wraps":           func(p *Payload) { p.Virt = 1<<64 - pageSize },
		"entry below":     func(p *Payload) { p.Entry = p.Virt - 1 },
		"entry above":     func(p *Payload) { p.Entry = p.Virt + p.Size },
		"many segments":   func(p *Payload) { p.Segments = make([]Segment, MaxSegments+1) },
		"entry above end": func(p *Payload) { p.Entry = 1<<64 - 1 },
	} {
		p := payload()
		change(&p)
		_, err := Image(p)
		require.ErrorIs(t, err, ErrPayload, name)
	}
}
