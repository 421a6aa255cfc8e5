package boottest

import (
	"debug/elf"

	"ringo/boot/layout"
	"ringo/memory"
	"ringo/x86"
	"ringo/x86/asm"
)

// The ROM of an emulated PC, mapped below 4 GiB.
const (
	romSize  = 0x1_0000
	romBase  = 1<<32 - romSize
	romReset = 0xFFF0 // where a processor fetches its first instruction
	romCode  = 0xF000 // within reach of a 16-bit jump from there
)

// Selectors of the ROM's own GDT.
const (
	romCode32 = 0x08
	romData   = 0x10
)

// ROM makes firmware for an emulated PC (i440FX and PIIX4) that does nothing
// but make its memory map and power management look like layout's, copy the
// BIOS area from staging, and enter state s. It lets an emulator run what a
// loader prepared.
func ROM(s *x86.State, staging memory.GPA) ([]byte, error) {
	a := asm.New(asm.Bits16, romBase)
	romTables(a, s)
	a.Pad(romCode, 0)
	a.Label("start")
	a.Cli()
	a.Lgdt(asm.Abs(0).In(asm.CS)) // the first bytes of the ROM
	a.Mov(asm.EAX, asm.CR0)
	a.Or(asm.AL, asm.Imm(x86.CR0PE))
	a.Mov(asm.CR0, asm.EAX)
	a.JmpFar(romCode32, "protected", 32)
	a.Bits(asm.Bits32)
	a.Label("protected")
	a.Mov(asm.EAX, asm.Imm(romData))
	a.Mov(asm.DS, asm.AX)
	a.Mov(asm.ES, asm.AX)
	romChipset(a)
	a.Mov(asm.ESI, asm.Imm(staging))
	a.Mov(asm.EDI, asm.Imm(layout.BIOSBase))
	a.Mov(asm.ECX, asm.Imm(layout.BIOSSize/4))
	a.Cld()
	a.Rep()
	a.Movs(32)
	romEnter(a, s)
	a.Pad(romReset, 0)
	a.Bits(asm.Bits16)
	a.Jmp("start")
	a.Pad(romSize, 0)
	return a.Bytes()
}

// romTables puts the data that the code loads at the start of the ROM.
func romTables(a *asm.Asm, s *x86.State) {
	flat := func(attr uint32) uint64 {
		seg := x86.Segment{Attr: attr | x86.AttrDB | x86.AttrG, Limit: 0xFFFF_FFFF}
		return seg.Descriptor()
	}
	a.Data16(3*8 - 1)
	a.DataAddr(32, "gdt", 0)
	a.Align(8, 0)
	a.Label("gdt")
	a.Data64(0, flat(x86.AttrCode), flat(x86.AttrData))
	a.Label("gdtr")
	a.Data16(s.GDTR.Limit)
	a.Data32(uint32(s.GDTR.Base))
	a.Label("entry")
	a.Data32(uint32(s.RIP))
	a.Data16(s.Seg[x86.CS].Selector)
}

// romChipset makes the BIOS area RAM and puts the power management registers
// at layout.PMBase.
func romChipset(a *asm.Asm) {
	const (
		host       = 0x8000_0000 // bus 0, device 0, function 0
		power      = 0x8000_0B00 // bus 0, device 1, function 3
		ramAccess  = 0x33        // both halves of a PAM register: reads and writes go to RAM
		enable     = 1
		addressIn  = 0xCF8
		dataIn     = 0xCFC
		pamF0000   = 0x58 // the dword that holds PAM0, PAM1 and PAM2
		pamD0000   = 0x5C // PAM3 to PAM6
		pmBaseReg  = 0x40
		pmMiscReg  = 0x80
		pamAll     = ramAccess * 0x0101_0101
		pamKeepLow = pamAll &^ 0xFF // the byte before PAM0 is the DRAM control
	)
	for _, w := range []struct{ reg, v uint32 }{
		{host | pamF0000, pamKeepLow}, {host | pamD0000, pamAll},
		{power | pmBaseReg, layout.PMBase | 1}, {power | pmMiscReg, enable},
	} {
		a.Mov(asm.EAX, asm.Imm(w.reg))
		a.Mov(asm.DX, asm.Imm(addressIn))
		a.Out(asm.DX, asm.EAX)
		a.Mov(asm.EAX, asm.Imm(w.v))
		a.Mov(asm.DX, asm.Imm(dataIn))
		a.Out(asm.DX, asm.EAX)
	}
}

// romEnter loads the registers of s that a boot protocol fixes and jumps.
func romEnter(a *asm.Asm, s *x86.State) {
	if s.EFER&x86.EFERLMA != 0 {
		a.Mov(asm.EAX, asm.Imm(s.CR4))
		a.Mov(asm.CR4, asm.EAX)
		a.Mov(asm.EAX, asm.Imm(s.CR3))
		a.Mov(asm.CR3, asm.EAX)
		a.Mov(asm.ECX, asm.Imm(x86.MSREFER))
		a.Mov(asm.EAX, asm.Imm(x86.EFERLME))
		a.Xor(asm.EDX, asm.EDX)
		a.Wrmsr()
	}
	a.Mov(asm.EAX, asm.Imm(uint32(s.CR0)))
	a.Mov(asm.CR0, asm.EAX)
	a.Lgdt(asm.At("gdtr"))
	a.Mov(asm.EAX, asm.Imm(s.Seg[x86.DS].Selector))
	for _, r := range []asm.Reg{asm.DS, asm.ES, asm.SS, asm.FS, asm.GS} {
		a.Mov(r, asm.AX)
	}
	for _, r := range []struct {
		dst asm.Reg
		src int
	}{
		{asm.EAX, x86.RAX}, {asm.ECX, x86.RCX}, {asm.EDX, x86.RDX}, {asm.EBX, x86.RBX},
		{asm.ESP, x86.RSP}, {asm.EBP, x86.RBP}, {asm.ESI, x86.RSI}, {asm.EDI, x86.RDI},
	} {
		a.Mov(r.dst, asm.Imm(uint32(s.GPR[r.src])))
	}
	a.JmpFarTo(asm.Mem{Size: 32, Label: "entry"})
}

// PowerOffInit makes a static program for a kernel's first process: it prints
// text and turns the machine off.
func PowerOffInit(text string) ([]byte, error) {
	const (
		at          = 0x40_0000 + elfHeaders64
		sysWrite    = 1
		sysReboot   = 169
		magic1      = 0xFEE1DEAD // LINUX_REBOOT_MAGIC1
		magic2      = 672274793  // LINUX_REBOOT_MAGIC2
		cmdPowerOff = 0x4321FEDC // LINUX_REBOOT_CMD_POWER_OFF
	)
	a := asm.New(asm.Bits64, at)
	a.Mov(asm.EAX, asm.Imm(sysWrite))
	a.Mov(asm.EDI, asm.Imm(1))
	a.Lea(asm.RSI, asm.At("text"))
	a.Mov(asm.EDX, asm.Imm(len(text)))
	a.Syscall()
	a.Mov(asm.EAX, asm.Imm(sysReboot))
	a.Mov(asm.EDI, asm.Imm(magic1))
	a.Mov(asm.ESI, asm.Imm(magic2))
	a.Mov(asm.EDX, asm.Imm(cmdPowerOff))
	a.Syscall()
	a.Label("forever")
	a.JmpShort("forever")
	a.Label("text")
	a.String(text)
	code, err := a.Bytes()
	if err != nil {
		return nil, err
	}
	return ELF64(at, Segment{Type: elf.PT_LOAD, Vaddr: at, Paddr: at, Data: code}), nil
}
