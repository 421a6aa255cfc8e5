package nucleus

import (
	"unsafe"

	"ringo/nucleus/reg"
	"ringo/x86"
)

// Set-up of one processor: descriptors, stacks, control registers.

const (
	selCode = 0x08
	selData = 0x10
	selTSS  = 0x20

	istIRQ   = 1
	istTrap  = 2
	istPF    = 3
	istNMI   = 4
	istMC    = 5
	istFault = 6 // double fault
)

var (
	haveXSAVE bool
	hostXCR0  uint64
	xsaveSize uint32 = 512
	mxcsrMask uint32 = 0xffff
)

// idt serves all CPUs: stacks come from each one's TSS.
var idt [256][2]uint64

// initIDT fills in the interrupt descriptor table with interrupt gates.
func initIDT() {
	for v := range idt {
		ist := uint64(istTrap)
		switch {
		case v >= 32:
			ist = istIRQ
		case v == 14:
			ist = istPF
		case v == 2:
			ist = istNMI
		case v == 18:
			ist = istMC
		case v == 8:
			ist = istFault
		}
		at := uint64(stubBase()) + uint64(v)*16
		idt[v][0] = at&0xffff | selCode<<16 | ist<<32 | 0x8e<<40 | at>>16&0xffff<<48
		idt[v][1] = at >> 32
	}
}

// stackFor backs stack number slot of CPU n with memory and returns its top.
// An unmapped page lies below each.
func stackFor(n, slot uint32, size uintptr) uintptr {
	const perStack = 64 << 10
	top := uintptr(stackBase) + (uintptr(n)*8+uintptr(slot)+1)*perStack
	if !mapRange(top-size, top) {
		fatal("boot: no memory for a processor's stacks")
	}
	return top
}

// initTablesOfCPU prepares the record of CPU n: stacks, fake gs, GDT, TSS.
func (c *CPU) initTablesOfCPU(n uint32) {
	c.self = uintptr(unsafe.Pointer(c))
	c.number = n
	c.inside = 1
	size := uintptr(nucleusStack)
	top := uintptr(0)
	if n == 0 {
		size = bootStackSize
		top = uintptr(unsafe.Pointer(&bootStack)) + size
	} else {
		top = stackFor(n, 7, size)
	}
	top &^= 15
	c.fsBase = initFakeG(&c.gStack, &c.tls, top, size)
	c.fakeG = uintptr(unsafe.Pointer(&c.gStack))
	c.stack = top - 64 // spill space for the arguments of what the stubs call
	var ist [7]uintptr
	for i := uint32(0); i < 6; i++ {
		ist[i] = stackFor(n, i, istStack)
	}
	c.pfFS = initFakeG(&c.gPF, &c.tlsPF, ist[istPF-1], istStack)
	c.pfG = uintptr(unsafe.Pointer(&c.gPF))
	c.trapFS = initFakeG(&c.gTrap, &c.tlsTrap, ist[istTrap-1], istStack)
	c.trapG = uintptr(unsafe.Pointer(&c.gTrap))
	for i := 0; i < 7; i++ {
		c.tss[9+2*i], c.tss[10+2*i] = uint32(ist[i]), uint32(ist[i]>>32)
	}
	c.tss[25] = 104 << 16 // no I/O map
	c.gdt[selCode>>3] = 0x00af9b000000ffff
	c.gdt[selData>>3] = 0x00cf93000000ffff
	base := uint64(uintptr(unsafe.Pointer(&c.tss)))
	c.gdt[selTSS>>3] = 103 | base&0xffffff<<16 | 0x89<<40 | base>>24&0xff<<56
	c.gdt[selTSS>>3+1] = base >> 32
}

// enable loads the calling CPU's registers. c is its record.
func (c *CPU) enable() {
	lgdt(uint16(unsafe.Sizeof(c.gdt))-1, uintptr(unsafe.Pointer(&c.gdt)))
	ltr(selTSS)
	lidt(uint16(unsafe.Sizeof(idt))-1, uintptr(unsafe.Pointer(&idt)))
	reg.WriteCR0(reg.ReadCR0()&^(x86.CR0EM|x86.CR0TS|x86.CR0CD|x86.CR0NW|x86.CR0AM) | x86.CR0MP | x86.CR0NE | x86.CR0WP)
	cr4 := reg.ReadCR4() | x86.CR4PAE | x86.CR4PGE | x86.CR4MCE | x86.CR4OSFXSR | x86.CR4OSXMMEXCPT | x86.CR4FSGSBASE
	if haveXSAVE {
		cr4 |= x86.CR4OSXSAVE
	}
	reg.WriteCR4(cr4)
	enableXSAVE()
	reg.WriteMSR(x86.MSREFER, reg.ReadMSR(x86.MSREFER)|x86.EFERSCE|x86.EFERNXE)
	reg.WriteMSR(x86.MSRSTAR, selCode<<32)
	reg.WriteMSR(x86.MSRLSTAR, uint64(syscallAddr()))
	reg.WriteMSR(x86.MSRSFMASK, 0x47700) // AC, NT, IOPL, DF, IF, TF
	reg.WriteMSR(x86.MSRFSBase, c.fsBase)
	reg.WriteMSR(x86.MSRGSBase, uint64(c.self))
	enableMachineCheck()
}

// enableXSAVE turns on every state component that the processor has and that
// fits a thread's area: all but AMX.
func enableXSAVE() {
	if !haveXSAVE {
		return
	}
	const amx = 3 << 17
	eax, _, _, edx := reg.CPUID(0xd, 0)
	hostXCR0 = (uint64(edx)<<32 | uint64(eax)) &^ amx
	reg.XSETBV(0, hostXCR0)
	_, size, _, _ := reg.CPUID(0xd, 0)
	if size > pageSize {
		fatal("boot: the processor's vector state is larger than a page")
	}
	xsaveSize = size
}

// enableMachineCheck opens every error bank, so that an uncorrected error is
// reported instead of shutting the processor down (SDM volume 3B chapter 16).
func enableMachineCheck() {
	_, _, _, edx := reg.CPUID(1, 0)
	const mce, mca = 1 << 7, 1 << 14
	if edx&mce == 0 || edx&mca == 0 {
		return
	}
	capability := reg.ReadMSR(x86.MSRMCGCap)
	if capability&(1<<8) != 0 {
		reg.WriteMSR(x86.MSRMCGCap+2, ^uint64(0)) // MCG_CTL
	}
	for i := uint32(0); i < uint32(capability&0xff); i++ {
		reg.WriteMSR(mcBank0+4*i, ^uint64(0))
	}
}

// mcBank0 is IA32_MC0_CTL; STATUS, ADDR and MISC follow it in each bank.
const mcBank0 = 0x400
