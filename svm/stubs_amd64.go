package svm

// The assembly of entry_amd64.s and fpu_amd64.s. All of it needs CPL0 but
// xsave, xrstor, fxsave, fxrstor and forgetFPUPointers.

//go:noescape
func enter(c *vcpuMem)

func entryText() (start, end uintptr)

func vmsaveHost(pa uint64)

//go:noescape
func xsave(image *byte, mask uint64)

//go:noescape
func leaveVectors(image *byte, mask, hostXCR0 uint64, clean *byte) (xcr0 uint64)

//go:noescape
func enterVectors(image *byte, mask, xcr0, hostXCR0 uint64)

//go:noescape
func xrstor(image *byte, mask uint64)

//go:noescape
func fxsave(image *byte)

//go:noescape
func fxrstor(image *byte)

func forgetFPUPointers()

//go:noescape
func readDR(dr *[4]uint64)

//go:noescape
func writeDR(dr *[4]uint64)
