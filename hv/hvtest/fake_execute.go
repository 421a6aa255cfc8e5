package hvtest

import (
	"golang.org/x/arch/x86/x86asm"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
	"ringo/x86/insn"
)

// owner executes what x86/insn leaves to the owner of the vCPU. Most of it is
// an exit; it says true then.
func (v *fakeCPU) owner(in *insn.Inst) bool {
	s, e := &v.s, v.exit
	v.setLen(in)
	switch in.Op {
	case insn.CPUID:
		if !v.fastCPUID() {
			return v.leave(vcpu.KindCPUID)
		}
	case insn.RDMSR, insn.WRMSR:
		return v.msr(in.Op == insn.WRMSR)
	case insn.XSETBV:
		e.Data = s.GPR[x86.RDX]<<32 | s.GPR[x86.RAX]&0xFFFF_FFFF
		return v.leave(vcpu.KindXSETBV)
	case insn.VMMCALL:
		return v.leave(vcpu.KindHypercall)
	case insn.RDTSC:
		t := v.area.GuestTSC(v.vm.fake.TSC())
		s.GPR[x86.RAX], s.GPR[x86.RDX] = t&0xFFFF_FFFF, t>>32
	case insn.HLT:
		v.area.Activity = uint32(x86.ActivityHalted)
	case insn.INVLPG:
	case insn.VMCALL: // belongs to the other vendor
		return v.raise(&insn.Fault{Vector: x86.VectorUD})
	default:
		v.why = in.Op.String()
		return v.leave(vcpu.KindInsn)
	}
	v.emul.Skip(s)
	*e = vcpu.Exit{}
	return false
}

// setLen tells the length of the exit's instruction, on a processor that does.
func (v *fakeCPU) setLen(in *insn.Inst) {
	if !v.vm.fake.LengthUnknown {
		v.exit.Len = in.Len
	}
}

func (v *fakeCPU) msr(write bool) bool {
	g := &v.s.GPR
	v.exit.MSR, v.exit.Write = uint32(g[x86.RCX]), write
	if !write {
		return v.leave(vcpu.KindRDMSR)
	}
	v.exit.Data = g[x86.RDX]<<32 | g[x86.RAX]&0xFFFF_FFFF
	return v.leave(vcpu.KindWRMSR)
}

// fastCPUID answers from the table in the Area.
func (v *fakeCPU) fastCPUID() bool {
	g, a := &v.s.GPR, v.area
	leaf, sub := uint32(g[x86.RAX]), uint32(g[x86.RCX])
	for i := range a.CPUID[:a.NumCPUID] {
		c := &a.CPUID[i]
		if c.Leaf != leaf || c.Match != 0 && c.Subleaf != sub {
			continue
		}
		if c.Slow != 0 {
			return false
		}
		g[x86.RAX], g[x86.RBX], g[x86.RCX], g[x86.RDX] = uint64(c.EAX), uint64(c.EBX), uint64(c.ECX), uint64(c.EDX)
		a.Exits[vcpu.KindCPUID]++
		a.Fast[vcpu.KindCPUID]++
		return true
	}
	return false
}

func (v *fakeCPU) setCR8(cr8 uint64) { apic.SetTPR(v.area, uint8(cr8<<x86.CR8TPRShift)) }

// Instructions of control flow and system setup that x86/insn does not do.
const (
	opJMP    = insn.Op(x86asm.JMP)
	opLJMP   = insn.Op(x86asm.LJMP)
	opCALL   = insn.Op(x86asm.CALL)
	opRET    = insn.Op(x86asm.RET)
	opIRET   = insn.Op(x86asm.IRET)
	opIRETD  = insn.Op(x86asm.IRETD)
	opIRETQ  = insn.Op(x86asm.IRETQ)
	opLEA    = insn.Op(x86asm.LEA)
	opCLI    = insn.Op(x86asm.CLI)
	opSTI    = insn.Op(x86asm.STI)
	opCLD    = insn.Op(x86asm.CLD)
	opSTD    = insn.Op(x86asm.STD)
	opLIDT   = insn.Op(x86asm.LIDT)
	opLGDT   = insn.Op(x86asm.LGDT)
	opLOOP   = insn.Op(x86asm.LOOP)
	opPUSHF  = insn.Op(x86asm.PUSHF)
	opPUSHFD = insn.Op(x86asm.PUSHFD)
	opPUSHFQ = insn.Op(x86asm.PUSHFQ)
	opMOV    = insn.Op(x86asm.MOV)
	opINT    = insn.Op(x86asm.INT)
	opUD2    = insn.Op(x86asm.UD2)
)

// execute does an instruction that the emulator does not know. An unknown one
// gives insn.ErrUnsupported.
func (v *fakeCPU) execute(in *insn.Inst) error {
	s := &v.s
	old := s.Interrupt
	switch in.Op {
	case opJMP, opLJMP, opCALL, opRET, opLOOP, opIRET, opIRETD, opIRETQ:
		return v.branch(in)
	case opLEA:
		v.setReg(in.Args[0], v.effective(in))
	case opCLI:
		s.RFLAGS &^= x86.FlagIF
	case opSTI:
		s.Interrupt.STIShadow = s.RFLAGS&x86.FlagIF == 0
		s.RFLAGS |= x86.FlagIF
	case opCLD:
		s.RFLAGS &^= x86.FlagDF
	case opSTD:
		s.RFLAGS |= x86.FlagDF
	case opLIDT, opLGDT:
		return v.loadTable(in)
	case opUD2:
		return &insn.Fault{Vector: x86.VectorUD}
	case opINT:
		return v.softInterrupt(in)
	case opPUSHF, opPUSHFD, opPUSHFQ:
		if err := v.push(s.RFLAGS, v.pushSize(in)); err != nil {
			return err
		}
	case opMOV:
		if err := v.moveSegment(in); err != nil {
			return err
		}
	default:
		if in.Opcode&0xF0 == 0x70 || in.Opcode&0xF0 == 0x80 && in.Args[0].Kind == insn.KindOther {
			return v.branch(in)
		}
		return insn.ErrUnsupported
	}
	fresh := s.Interrupt
	v.emul.Skip(s) // ends a shadow of the instruction before
	s.Interrupt.STIShadow = fresh.STIShadow && !old.STIShadow
	s.Interrupt.MovSSShadow = fresh.MovSSShadow && !old.MovSSShadow
	return nil
}

// softInterrupt is INT n and INT3. One whose delivery is cut short is executed
// again, so it is never pending.
func (v *fakeCPU) softInterrupt(in *insn.Inst) error {
	const opcodeINT3 = 0xCC
	ev := vcpu.Event{Type: vcpu.EventSoftInt, Vector: uint8(in.Imm), Len: in.Len}
	if in.Opcode == opcodeINT3 {
		ev.Type, ev.Vector = vcpu.EventSoftException, x86.VectorBP
	}
	return v.vector(ev)
}

// isHypervisors tells whether an instruction belongs to a hypervisor: hv
// decides what becomes of it.
func isHypervisors(op insn.Op) bool {
	switch op {
	case insn.VMRUN, insn.VMLOAD, insn.VMSAVE, insn.STGI, insn.CLGI, insn.SKINIT, insn.INVLPGA:
		return true
	}
	return false
}

// effective is the offset of a memory operand.
func (v *fakeCPU) effective(in *insn.Inst) uint64 {
	a, g := uint64(in.Mem.Disp), &v.s.GPR
	switch {
	case in.Mem.Base == insn.RIPReg:
		a += v.s.RIP + uint64(in.Len)
	case in.Mem.Base != insn.NoReg:
		a += g[in.Mem.Base]
	}
	if in.Mem.Index != insn.NoReg {
		a += g[in.Mem.Index] * uint64(in.Mem.Scale)
	}
	return a & (^uint64(0) >> (64 - 8*uint(in.AddrSize)))
}

// operand reads a register or memory operand of size bytes.
func (v *fakeCPU) operand(in *insn.Inst, o insn.Operand, size uint8) (uint64, error) {
	if o.Kind == insn.KindMem {
		return v.mem.read(v.mem.segment(in.Mem.Seg, v.effective(in)), size)
	}
	return v.s.GPR[o.Reg&15] & (^uint64(0) >> (64 - 8*uint(size))), nil
}

// setReg writes a general register of 16, 32 or 64 bits.
func (v *fakeCPU) setReg(o insn.Operand, value uint64) {
	g := &v.s.GPR[o.Reg&15]
	switch o.Size {
	case 2:
		*g = *g&^0xFFFF | value&0xFFFF
	case 4:
		*g = value & 0xFFFF_FFFF
	default:
		*g = value
	}
}

// loadTable is LIDT or LGDT.
func (v *fakeCPU) loadTable(in *insn.Inst) error {
	at := v.mem.segment(in.Mem.Seg, v.effective(in))
	limit, err := v.mem.read(at, 2)
	if err != nil {
		return err
	}
	size := uint8(4)
	if v.s.Mode64() {
		size = 8
	}
	base, err := v.mem.read(at+2, size)
	if err != nil {
		return err
	}
	t := x86.Table{Limit: uint16(limit), Base: base}
	if in.Op == opLIDT {
		v.s.IDTR = t
	} else {
		v.s.GDTR = t
	}
	v.emul.Skip(&v.s)
	return nil
}

// moveSegment is MOV to a segment register.
func (v *fakeCPU) moveSegment(in *insn.Inst) error {
	if in.Args[0].Kind != insn.KindSeg {
		return insn.ErrUnsupported
	}
	sel, err := v.operand(in, in.Args[1], 2)
	if err != nil {
		return err
	}
	g := x86.Segment{Attr: x86.AttrUnusable}
	if sel&^x86.SelectorRPL != 0 || v.s.CR0&x86.CR0PE == 0 {
		if g, err = v.descriptor(uint16(sel)); err != nil {
			return err
		}
	}
	if v.s.CR0&x86.CR0PE == 0 {
		g.Attr = x86.AttrData
	}
	v.s.Seg[in.Args[0].Reg] = g
	if in.Args[0].Reg == x86.SS {
		v.s.Interrupt.MovSSShadow = true
	}
	return nil
}
