package vmx

import (
	"unsafe"

	"ringo/memory"
	"ringo/x86"
)

// Offsets in an XSAVE image (SDM volume 1, section 13.4 "XSAVE Area").
const (
	xsaveMXCSR     = 24
	xsaveXMM       = 160
	xsaveXMMEnd    = 416
	xsaveHeader    = 512
	xsaveHeaderEnd = 576
)

// offsetGPR is the offset of Area's registers for the stubs, which see
// constants of this package only.
const offsetGPR = int(unsafe.Offsetof(vcpuMem{}.area) + unsafe.Offsetof(vcpuMem{}.area.GPR))

// msrKernelGSBase is the MSR's number for them.
const msrKernelGSBase = x86.MSRKernelGSBase

// fittingComponents are the state components that fit in x86.XSAVESize at the
// offsets of the standard format. AMX tiles do not.
const fittingComponents = x86.XCR0X87 | x86.XCR0SSE | x86.XCR0AVX | x86.XCR0MPX | x86.XCR0AVX512 | x86.XCR0PKRU

// hostImage is the extended state that host code gets after a guest's has been
// saved: everything initial, MXCSR 1F80H. It is aligned to 64 bytes in
// hostBuffer and never changes after initHostImage.
var (
	hostBuffer [xsaveHeaderEnd + 64]byte
	hostImage  *byte
)

// initHostImage is called before the first vCPU runs.
func initHostImage() {
	p := uintptr(unsafe.Pointer(&hostBuffer))
	image := hostBuffer[-p&63:]
	image[0], image[1] = 0x7F, 0x03 // FCW after FNINIT
	image[xsaveMXCSR], image[xsaveMXCSR+1] = x86.MXCSRReset&0xFF, x86.MXCSRReset>>8
	hostImage = &image[0]
}

// setRevision begins a VMXON or VMCS region with the revision identifier.
func setRevision(pa memory.HPA, revision uint32) {
	*(*uint32)(frames().Pointer(pa)) = revision
}

// tssBase finds the base of the task register's segment in the GDT. The
// descriptor of a system segment has 16 bytes in 64-bit mode.
func tssBase(gdt uint64, tr uint16) uint64 {
	d := (*[2]uint64)(unsafe.Add(nil, gdt+uint64(tr&^7)))
	return d[0]>>16&0xFF_FFFF | d[0]>>32&0xFF00_0000 | d[1]<<32
}
