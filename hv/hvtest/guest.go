package hvtest

import (
	"encoding/binary"
	"fmt"

	"ringo/hv/vcpu/apic"
	"ringo/x86"
	"ringo/x86/asm"
)

// markPort is where guests tell how far they came.
const markPort = 0x80

// mark makes the guest tell that it came here. It uses AL.
func mark(a *asm.Asm, n uint8) {
	a.Mov(asm.AL, asm.Imm(n))
	a.Out(asm.Imm(markPort), asm.AL)
}

// start puts code into the guest and vCPU 0 at its first instruction. The
// guest has handlers for all exceptions and for vectors 20H to 2FH that count,
// and that keep the error code.
func (r *rig) start(m mode, code func(*asm.Asm)) {
	r.t.Helper()
	r.startCPU(0, m, code)
}

func (r *rig) startCPU(cpu int, m mode, code func(*asm.Asm)) {
	r.t.Helper()
	base := uint64(codeBase + 0x1000*cpu)
	a := asm.New(m.bits, base)
	code(a)
	a.Label("end")
	a.Hlt()
	a.Jmp("end")
	p, err := a.Bytes()
	r.must(err, "assembling the guest")
	r.write(base, p)
	r.tables(m)
	s := state(m)
	s.RIP = base
	s.GPR[x86.RSP] = stackTop - 0x400*uint64(cpu)
	r.must(r.cpus[cpu].Load(x86.GroupAll&^x86.GroupTSC, s), "Load")
	apic.Reset(r.cpus[cpu].Area())
}

// state is a vCPU's first state in a mode: flat segments, interrupts off.
func state(m mode) *x86.State {
	s := new(x86.State)
	s.Reset()
	code := x86.Segment{Selector: selCode, Attr: x86.AttrCode | x86.AttrG, Limit: 0xFFFF_FFFF}
	data := x86.Segment{Selector: selData, Attr: x86.AttrData | x86.AttrG | x86.AttrDB, Limit: 0xFFFF_FFFF}
	s.CR0 = x86.CR0ET | x86.CR0NE
	s.IDTR = x86.Table{Base: idtBase, Limit: 0xFFF}
	s.GDTR = x86.Table{Base: gdtBase, Limit: 0x17}
	switch m {
	case mode16:
		code = x86.Segment{Attr: x86.AttrCode, Limit: 0xFFFF}
		data = x86.Segment{Attr: x86.AttrData, Limit: 0xFFFF}
		s.IDTR = x86.Table{Limit: 0x3FF}
	case mode32:
		s.CR0 |= x86.CR0PE
		code.Attr |= x86.AttrDB
		s.IDTR.Limit = 0x7FF
	case mode64:
		s.CR0 |= x86.CR0PE | x86.CR0PG | x86.CR0WP
		s.CR3, s.CR4 = pml4Base, x86.CR4PAE|x86.CR4OSFXSR
		s.EFER = x86.EFERLME | x86.EFERLMA | x86.EFERNXE
		code.Attr |= x86.AttrL
	}
	for i := x86.ES; i <= x86.GS; i++ {
		s.Seg[i] = data
	}
	s.Seg[x86.CS] = code
	return s
}

// tables writes GDT, IDT, page tables and handlers for a mode.
func (r *rig) tables(m mode) {
	r.t.Helper()
	s := state(m)
	r.write64(gdtBase+selCode, s.Seg[x86.CS].Descriptor(), s.Seg[x86.SS].Descriptor())
	const rights = x86.PTEPresent | x86.PTEWrite
	r.write64(pml4Base, pdptBase|rights)
	r.write64(pdptBase, pdBase|rights)
	for i := uint64(0); i < 512; i++ { // 1 GiB, one to one
		r.write64(pdBase+8*i, i<<21|rights|x86.PTEPageSize)
	}
	a := asm.New(m.bits, handlers)
	for v := range 0x30 {
		handler(a, m, uint8(v))
	}
	p, err := a.Bytes()
	r.must(err, "assembling the handlers")
	r.write(handlers, p)
	for v := range uint64(0x30) {
		at, err := a.Address(handlerLabel(uint8(v)))
		r.must(err, "a handler's address")
		r.gate(m, v, at)
	}
}

func handlerLabel(v uint8) string { return fmt.Sprintf("vector-%d", v) }

// handler counts, keeps the error code where there is one, and returns.
func handler(a *asm.Asm, m mode, v uint8) {
	a.Label(handlerLabel(v))
	a.Inc(asm.Abs(countBase + 4*int64(v)).Dword())
	if x86.HasErrorCode(v) && m != mode16 {
		a.Pop(slot(m, codesBase+8*int64(v)))
	}
	switch m {
	case mode16:
		a.Iret(16)
	case mode32:
		a.Iret(32)
	default:
		a.Iret(64)
	}
}

// slot is memory of the width that the mode pushes.
func slot(m mode, at int64) asm.Mem {
	if m == mode64 {
		return asm.Abs(at).Qword()
	}
	return asm.Abs(at).Dword()
}

// gate writes one entry of the IDT.
func (r *rig) gate(m mode, v, at uint64) {
	if m == mode16 {
		r.write(4*v, binary.LittleEndian.AppendUint32(nil, uint32(at)))
		return
	}
	low := at&0xFFFF | selCode<<16 | (x86.AttrP|x86.TypeIntGate)<<40 | at>>16&0xFFFF<<48
	if m == mode32 {
		r.write64(idtBase+8*v, low)
		return
	}
	r.write64(idtBase+16*v, low, at>>32)
}
