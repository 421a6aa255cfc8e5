package nucleus

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/abi/linux"
)

// withImage is an image of three segments, linked at 4 MiB and loaded at
// 16 MiB.
func withImage() {
	resetTables()
	resetBoot()
	h := &bootInfo.hand
	h.ImagePhys, h.ImageVirt, h.ImageSize = 16<<20, 4<<20, 5*pageSize
	h.Segments[0] = segment{Virt: 4 << 20, Size: pageSize + 1, Flags: 4 | segmentX}
	h.Segments[1] = segment{Virt: 4<<20 + 2*pageSize, Size: pageSize, Flags: 4}
	h.Segments[2] = segment{Virt: 4<<20 + 3*pageSize, Size: 2 * pageSize, Flags: 4 | segmentW | segmentX}
}

// TestMapSegment: each page lies where it was loaded; W and X exclude each
// other even if the image asks for both.
func TestMapSegment(t *testing.T) {
	withImage()
	for i := range bootInfo.hand.Segments {
		mapSegment(&bootInfo.hand.Segments[i])
	}
	for i, flags := range []uint64{pteP, pteP, pteP | pteNX, pteP | pteRW | pteNX, pteP | pteRW | pteNX} {
		p, got, ok := translate(4<<20 + uintptr(i)*pageSize)
		require.True(t, ok)
		require.EqualValues(t, 16<<20+i*pageSize, p)
		require.Equal(t, flags, got, "page %d", i)
	}
	_, _, ok := translate(4<<20 + 5*pageSize)
	require.False(t, ok)
	require.Equal(t, []region{
		{4 << 20, 4<<20 + 2*pageSize, linux.PROT_READ | linux.PROT_EXEC, 1},
		{4<<20 + 2*pageSize, 4<<20 + 3*pageSize, linux.PROT_READ, 1},
		{4<<20 + 3*pageSize, 4<<20 + 5*pageSize, readWrite, 1},
	}, regions[:nRegions])
}

// TestInitFrames puts the frame table below 4 GiB and gives out all the rest
// that lies there.
func TestInitFrames(t *testing.T) {
	defer func(p uintptr) { frameByte = p }(frameByte)
	resetFrames()
	resetBoot()
	frameTop = 0
	bootInfo.ranges[0] = memRange{0, 0x9fc00, e820RAM}
	bootInfo.ranges[1] = memRange{1 << 20, 1 << 30, e820RAM}
	bootInfo.ranges[2] = memRange{4 << 30, 6 << 30, e820RAM}
	bootInfo.ranges[3] = memRange{1 << 40, 1<<40 + 4096, 2}
	bootInfo.nRanges = 4
	initFrames()
	require.EqualValues(t, 6<<30, frameTop)
	const table = 6 << 30 >> pageShift // bytes
	require.Equal(t, physPtr(1<<30-table), frameByte)
	require.EqualValues(t, (1<<30-1<<20-table)>>pageShift, frameFree.Load())
	for p := allocBlock(0); p != 0; p = allocBlock(0) {
		require.True(t, p >= 1<<20 && p < 1<<30-table, "%#x", p)
	}
}

func TestPatchText(t *testing.T) {
	withImage()
	require.NoError(t, PatchText(4<<20+0x123, []byte{1, 2, 3}))
	require.Equal(t, []byte{0, 1, 2, 3, 0}, atRAM(16<<20 + 0x122)[:5])
	for _, at := range []uintptr{4<<20 - 1, 4<<20 + pageSize - 1, 4<<20 + 2*pageSize, 0} {
		require.ErrorContains(t, PatchText(at, []byte{1, 2, 3}), "not in the image's text", "%#x", at)
	}
}
