package nucleus

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	bootentry "ringo/boot/entry"
)

// TestHandoffLayout compares the record with the one that the trampoline
// writes.
func TestHandoffLayout(t *testing.T) {
	ours, theirs := reflect.TypeFor[handoff](), reflect.TypeFor[bootentry.Handoff]()
	require.EqualValues(t, bootentry.HandoffSize, ours.Size())
	require.Equal(t, theirs.NumField(), ours.NumField())
	for i := range theirs.NumField() {
		require.Equal(t, theirs.Field(i).Name, ours.Field(i).Name)
		require.Equal(t, theirs.Field(i).Offset, ours.Field(i).Offset, theirs.Field(i).Name)
	}
	ourSegment, theirSegment := reflect.TypeFor[segment](), reflect.TypeFor[bootentry.Segment]()
	require.Equal(t, theirSegment.Size(), ourSegment.Size())
	for i := range theirSegment.NumField() {
		require.Equal(t, theirSegment.Field(i).Name, ourSegment.Field(i).Name)
	}
	require.EqualValues(t, bootentry.Magic, uint64(handoffMagic))
	require.EqualValues(t, bootentry.SegmentX, segmentX)
	require.EqualValues(t, bootentry.SegmentW, segmentW)
	require.EqualValues(t, uint64(bootentry.DirectMap), uint64(directBase))
}

func TestAPParameters(t *testing.T) {
	require.Equal(t,
		[]int{bootentry.APParamCR3, bootentry.APParamEntry, bootentry.APParamStack, bootentry.APParamArgument, bootentry.APParamEFER, bootentry.APParamCR4, bootentry.APParamCR0},
		[]int{apParamCR3, apParamTo, apParamSP, apParamArg, apParamEFER, apParamCR4, apParamCR0})
	require.LessOrEqual(t, bootentry.APTrampolineSize, pageSize)
}

const (
	testHandoff = 0x10_0000
	testParams  = 0x10_1000
	testCmdline = 0x10_3000
)

// e820Entry is one entry of boot_params.e820_table.
type e820Entry struct {
	Addr, Size uint64
	Kind       uint32
}

// leave fabricates what the trampoline and the loader leave behind.
func leave(t require.TestingT, count uint8, table ...e820Entry) {
	resetFrames()
	resetBoot()
	put(t, testHandoff, bootentry.Handoff{Magic: bootentry.Magic, BootParams: testParams, EntryTSC: 7})
	put(t, testParams+0x1e8, count)
	put(t, testParams+0x2d0, table)
}

func TestReadHandoff(t *testing.T) {
	leave(t, 2, e820Entry{0, 0x9fc00, 1}, e820Entry{0x100000, 0x7ff00000, 2})
	put(t, testParams+0x070, uint64(0xf0123))                    // acpi_rsdp_addr
	put(t, testParams+0x218, []uint32{0x2000_0000, 0x0123_4567}) // ramdisk_image, ramdisk_size
	put(t, testParams+0x0c0, []uint32{0x1, 0x2})                 // ext_ramdisk_image, ext_ramdisk_size
	put(t, testParams+0x228, uint32(testCmdline))                // cmd_line_ptr
	copy(atRAM(testCmdline), "panic=reboot quiet\x00not this")
	readHandoff(testHandoff)
	b := &bootInfo
	require.EqualValues(t, 7, b.hand.EntryTSC)
	require.Equal(t, []memRange{{0, 0x9fc00, 1}, {0x100000, 0x80000000, 2}}, b.ranges[:b.nRanges])
	require.EqualValues(t, 0xf0123, b.rsdp)
	require.Equal(t, memRange{from: 0x1_2000_0000, to: 0x3_2123_4567}, b.initrd)
	require.Equal(t, "panic=reboot quiet", string(b.cmdline[:b.nCmdline]))
}

func TestReadHandoffLongCommandLine(t *testing.T) {
	leave(t, 0)
	put(t, testParams+0x228, uint32(testCmdline))
	copy(atRAM(testCmdline), strings.Repeat("x", 5000))
	readHandoff(testHandoff)
	require.Equal(t, len(bootInfo.cmdline)-1, bootInfo.nCmdline)
}

func TestReadHandoffHostileMap(t *testing.T) {
	leave(t, 8,
		e820Entry{0x1000, 0, 1},
		e820Entry{^uint64(0), 2, 1},
		e820Entry{0x1000, ^uint64(0), 1},
		e820Entry{0, ^uint64(0), 1},
		e820Entry{1 << 52, 0x1000, 1},
		e820Entry{1<<52 - 0x1000, 0x1001, 1},
		e820Entry{1<<52 - 0x1000, 0x1000, 1},
		e820Entry{0x1000, 0x1000, 99},
	)
	put(t, testParams+0x218, []uint32{0xffff_ffff, 0xffff_ffff})
	put(t, testParams+0x0c0, []uint32{0xffff_ffff, 0xffff_ffff})
	readHandoff(testHandoff)
	require.Equal(t, []memRange{{1<<52 - 0x1000, 1 << 52, 1}, {0x1000, 0x2000, 99}}, bootInfo.ranges[:bootInfo.nRanges])
	require.Zero(t, bootInfo.initrd, "a file beyond the end of memory is none")
}

func TestReadHandoffManyRanges(t *testing.T) {
	var table []e820Entry
	for i := range uint64(255) {
		table = append(table, e820Entry{i << 20, 0x1000, 1})
	}
	leave(t, 255, table...)
	readHandoff(testHandoff)
	require.Equal(t, maxRanges, bootInfo.nRanges)
	require.EqualValues(t, 127<<20, bootInfo.ranges[127].from)
}

// within says whether two ranges share a byte.
func within(from, to phys, r memRange) bool { return from < r.to && r.from < min(to, r.to) }

// TestEachFree gives out RAM under maps and files that lie anywhere, overlap
// and begin inside frames: a frame is free exactly if it lies in an entry of
// RAM and nothing else touches it, and none is given twice.
func TestEachFree(t *testing.T) {
	const frames = 64
	address := func(t *rapid.T, name string) phys {
		a := phys(1<<20-4*pageSize) + phys(rapid.IntRange(0, frames*4).Draw(t, name))*(pageSize/4)
		return a + phys(rapid.SampledFrom([]int{0, 0, 0, 1, -1}).Draw(t, "off"))
	}
	draw := func(t *rapid.T) memRange {
		a, b := address(t, "from"), address(t, "to")
		return memRange{from: min(a, b), to: max(a, b)}
	}
	rapid.Check(t, func(t *rapid.T) {
		resetBoot()
		b := &bootInfo
		hand, initrd := draw(t), draw(t)
		b.hand.ReservedPhys, b.hand.ReservedSize = uint64(hand.from), uint64(hand.to-hand.from)
		b.initrd = initrd
		for range rapid.IntRange(1, 6).Draw(t, "entries") {
			r := draw(t)
			r.kind = uint32(rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "kind"))
			if r.from < r.to {
				b.ranges[b.nRanges] = r
				b.nRanges++
			}
		}
		given := map[phys]bool{}
		eachFree(func(from, to phys) {
			require.Less(t, from, to)
			require.Zero(t, (from|to)&(pageSize-1), "whole frames")
			for p := from; p < to; p += pageSize {
				require.False(t, given[p], "%#x is given twice", p)
				given[p] = true
			}
		})
		for p := phys(0x80000); p < 1<<20+(frames+4)*pageSize; p += pageSize {
			require.Equal(t, expectFree(p, hand, initrd), given[p], "%#x", p)
			delete(given, p)
		}
		require.Empty(t, given)
	})
}

// expectFree says whether the frame at p is RAM that nothing else touches. Of
// several entries of RAM the first that touches it must hold all of it.
func expectFree(p phys, hand, initrd memRange) bool {
	if p < 1<<20 || within(p, p+pageSize, hand) || within(p, p+pageSize, initrd) {
		return false
	}
	seen, whole := false, false
	for _, r := range bootInfo.ranges[:bootInfo.nRanges] {
		switch {
		case !within(p, p+pageSize, r):
		case r.kind != e820RAM:
			return false
		case !seen:
			seen, whole = true, p >= r.from && p+pageSize <= r.to
		}
	}
	return whole
}

func TestTakeEarly(t *testing.T) {
	resetBoot()
	b := &bootInfo
	b.ranges[0] = memRange{0, 0x9f000, e820RAM}
	b.ranges[1] = memRange{4 << 30, 5 << 30, e820RAM}
	b.ranges[2] = memRange{3 << 30, 5 << 30, e820RAM}
	b.nRanges = 3
	require.EqualValues(t, 4<<30-2<<20, takeEarly(2<<20), "below 4 GiB, at the end of what is free")
	b.ranges[3] = memRange{1 << 20, 64 << 20, e820RAM}
	b.nRanges = 4
	require.EqualValues(t, 4<<30-2<<20, takeEarly(2<<20), "the first range that is large enough")
}

// TestAddFree splits what is free at the frame table and at 4 GiB, and loses
// nothing.
func TestAddFree(t *testing.T) {
	resetFrames()
	resetBoot()
	bootInfo.ranges[0] = memRange{1 << 20, 3 << 30, e820RAM}
	bootInfo.nRanges = 1
	bootInfo.hand.ReservedPhys, bootInfo.hand.ReservedSize = 16<<20, 8<<20
	addFree(2<<30, 2<<30+1<<20, 0, 1<<30)
	require.EqualValues(t, (1<<30-9<<20)>>pageShift, frameFree.Load())
	addFree(2<<30, 2<<30+1<<20, 1<<30, 4<<30)
	require.EqualValues(t, (3<<30-10<<20)>>pageShift, frameFree.Load())
}
