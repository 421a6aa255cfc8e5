package svm

// This file is part of the loop in the nucleus.

import (
	"unsafe"

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

// Offsets of fields in vcpu.Area for the stubs, which see constants of this
// package only.
const offsetGPR = int(unsafe.Offsetof(vcpuMem{}.area) + unsafe.Offsetof(vcpuMem{}.area.GPR))

// fittingComponents are the state components that fit in x86.XSAVESize at the
// offsets of the standard format. AMX tiles do not: the nucleus leaves them
// out of XCR0 or this mask leaves them to the host.
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

// loadFPU puts the guest's extended state into the registers. The entry stub
// loads XMM again from the same image: XSAVE wrote them there even where they
// were initial.
func (c *vcpuMem) loadFPU(p *perCPU) {
	if c.saveMask == 0 {
		fxrstor(&c.xsave[0])
	} else {
		enterVectors(&c.xsave[0], c.saveMask, c.xcr0, p.hostXCR0)
	}
	c.loaded = 1
}

// saveFPU takes the guest's extended state out of the registers and gives the
// host a clean one. All components are saved whatever the guest's XCR0 is,
// because a guest may take a bit out and find its state again later. XCR0 is
// read back: QEMU's TCG does not intercept XSETBV.
func (c *vcpuMem) saveFPU(p *perCPU) {
	if c.saveMask == 0 {
		fxsave(&c.xsave[0])
		fxrstor(hostImage)
	} else {
		c.xcr0 = leaveVectors(&c.xsave[0], c.saveMask, p.hostXCR0, hostImage)
	}
	c.loaded = 0
}

// loadDR makes DR0 to DR3 live; from here the guest accesses its debug
// registers without an exit until the vCPU leaves the CPU.
func (c *vcpuMem) loadDR() {
	writeDR(&c.dr)
	c.drLive = 1
	c.interceptDRs(0)
}

// saveDR takes them back. The host uses no breakpoints, and #VMEXIT has
// disabled the guest's in DR7, so the registers may keep their values.
func (c *vcpuMem) saveDR() {
	readDR(&c.dr)
	c.drLive = 0
	c.interceptDRs(interceptDR)
}

func (c *vcpuMem) interceptDRs(which uint16) {
	ctl := &c.vmcb.Control
	ctl.InterceptDRRead, ctl.InterceptDRWrite = which, which
	ctl.dirty(CleanI)
}
