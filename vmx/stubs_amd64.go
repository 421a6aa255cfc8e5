package vmx

// The assembly of entry_amd64.s, vmcs_amd64.s and fpu_amd64.s. All of it needs
// CPL0, and what reads or writes a VMCS that one is current.

//go:noescape
func enter(c *vcpuMem) (status uint64)

func entryText() (start, exit, end uintptr)

// vmread reads a field of the current VMCS.
func vmread(field uint64) uint64

// vmwrite writes one.
func vmwrite(field, v uint64)

// vmreadAll reads n fields of the current VMCS into n values.
//
//go:noescape
func vmreadAll(fields *Field, values *uint64, n int)

// vmwriteAll writes them.
//
//go:noescape
func vmwriteAll(fields *Field, values *uint64, n int)

//go:noescape
func vmxon(pa *uint64) (status uint64)

func vmxoff()

// vmclear and vmptrld take the address of the VMCS's host-physical address.
// Their status is 0 for success, 1 for VMfailInvalid and 2 for VMfailValid.
//
//go:noescape
func vmclear(pa *uint64) (status uint64)

//go:noescape
func vmptrld(pa *uint64) (status uint64)

//go:noescape
func invept(how uint64, descriptor *[2]uint64)

//go:noescape
func invvpid(how uint64, descriptor *[2]uint64)

//go:noescape
func hostTables(gdtr, idtr *[10]byte) (tr uint16)

func hostNMI()

//go:noescape
func leaveVectors(image *byte, mask, xcr0, hostXCR0 uint64, clean *byte)

//go:noescape
func readDR(dr *[5]uint64)

//go:noescape
func writeDR(dr *[5]uint64)
