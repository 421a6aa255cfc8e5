package vmx

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

// TestMemoryLayout checks what the stubs, the processor and the nucleus rely
// on in the memory of a vCPU.
func TestMemoryLayout(t *testing.T) {
	var c vcpuMem
	require.Zero(t, unsafe.Offsetof(c.guest), "the nucleus's record is first")
	require.LessOrEqual(t, unsafe.Sizeof(vcpuHead{}), uintptr(pageSize))
	require.Zero(t, unsafe.Offsetof(c.vmcs)%pageSize, "a VMCS is page-aligned")
	require.Zero(t, unsafe.Offsetof(c.xsave)%64, "XSAVE wants 64 bytes")
	require.Zero(t, unsafe.Offsetof(c.area)%pageSize, "the virtual-APIC page is page-aligned")
	require.Zero(t, unsafe.Offsetof(c.area.APIC))
	require.Equal(t, unsafe.Offsetof(c.loaded)+1, unsafe.Offsetof(c.cr2Live), "cleared at once")
	require.EqualValues(t, unsafe.Offsetof(c.area)+unsafe.Offsetof(c.area.GPR), offsetGPR)
	require.LessOrEqual(t, vcpuBytes, uint64(32<<10), "more than 8 frames per vCPU")
	require.LessOrEqual(t, unsafe.Sizeof(perCPU{}), uintptr(8*perCPUWords))
	require.EqualValues(t, x86.XSAVESize, len(c.xsave))
}
