package nucleus

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// resetIRQs gives the machine one I/O APIC of 24 pins from GSI 16 on, whose
// registers are plain memory: it holds the last value written.
func resetIRQs() (window uintptr) {
	resetDescriptors()
	clearACPI()
	clearBytes(uintptr(unsafe.Pointer(&bindings)), unsafe.Sizeof(bindings))
	regs := addressOf(mustMap(pageSize, pageSize))
	acpi.ioapics[0] = ioapicInfo{gsi: 16, regs: regs, pins: 24}
	acpi.nIOAPIC = 1
	acpi.overrides[0] = overrideInfo{irq: 4, gsi: 20, flags: 0xf} // level, active low
	acpi.overrides[1] = overrideInfo{irq: 5, gsi: 21, flags: 5}   // edge, active high
	acpi.nOverride = 2
	return regs + 16
}

func TestIOAPICFor(t *testing.T) {
	resetIRQs()
	for gsi, pin := range map[uint32]uint32{16: 0, 20: 4, 39: 23} {
		a, got := ioapicFor(gsi)
		require.Same(t, &acpi.ioapics[0], a)
		require.Equal(t, pin, got)
	}
	for _, gsi := range []uint32{0, 15, 40, ^uint32(0)} {
		a, _ := ioapicFor(gsi)
		require.Nil(t, a, "GSI %d", gsi)
	}
}

func TestLevelInterrupt(t *testing.T) {
	window := resetIRQs()
	fd := openFD(fdEvent, 0, 0)
	v := bindISA(4, fd)
	require.GreaterOrEqual(t, v, uint64(vectorDevice))
	require.EqualValues(t, v|redirectLow|redirectLevel, load32(window))
	deviceInterrupt(uint32(v))
	require.EqualValues(t, 1, fdTable[fd].count)
	require.EqualValues(t, v|redirectLow|redirectLevel|redirectMasked, load32(window), "masked until it is served")
	require.Zero(t, unmaskIRQ(v))
	require.EqualValues(t, v|redirectLow|redirectLevel, load32(window))
}

func TestEdgeInterrupt(t *testing.T) {
	window := resetIRQs()
	fd := openFD(fdEvent, 0, 0)
	v := bindISA(5, fd)
	store32(window, 0)
	deviceInterrupt(uint32(v))
	deviceInterrupt(uint32(v))
	require.EqualValues(t, 2, fdTable[fd].count)
	require.Zero(t, load32(window), "never masked")
}

func TestBindRefusals(t *testing.T) {
	resetIRQs()
	fd := openFD(fdEvent, 0, 0)
	require.Equal(t, errno(syscall.EINVAL), bindISA(16, fd))
	require.Equal(t, errno(syscall.EINVAL), bindISA(^uint64(0), fd))
	require.Equal(t, errno(syscall.EINVAL), bindISA(4, 0), "not a counter")
	require.Equal(t, errno(syscall.EINVAL), bindISA(4, maxFDs))
	require.Equal(t, errno(syscall.ENODEV), bindISA(1, fd), "no pin")
	require.Equal(t, errno(syscall.EINVAL), unmaskIRQ(256))
	require.Equal(t, errno(syscall.EINVAL), unmaskIRQ(vectorDevice))
	deviceInterrupt(vectorDevice) // nobody's
	for range vectorError - vectorDevice {
		require.Less(t, bindISA(4, fd), uint64(vectorError))
	}
	require.Equal(t, errno(syscall.ENOSPC), bindISA(4, fd))
}
