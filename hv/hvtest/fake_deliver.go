package hvtest

import (
	"errors"

	"ringo/hv/vcpu"
	"ringo/x86"
	"ringo/x86/insn"
)

// gate is where an event goes.
type gate struct {
	selector uint16
	offset   uint64
	trap     bool // IF stays as it is
}

// deliver makes the guest take an event. It says true when there is an exit,
// with the event in pending.
func (v *fakeCPU) deliver(ev vcpu.Event) (exit bool) {
	if ev.Vector == x86.VectorPF && ev.Type == vcpu.EventException {
		v.s.CR2 = ev.CR2
	}
	v.area.Activity = uint32(x86.ActivityRunning)
	v.mem.exited = false
	err := v.vector(ev)
	var f *insn.Fault
	switch {
	case err == nil:
		return false
	case v.mem.exited:
		v.pending = ev
		return true
	case errors.As(err, &f):
		first := ev
		if ev.Type != vcpu.EventException {
			first.Vector = x86.VectorNMI // interrupts are benign
		}
		v.raise(f)
		v.queued = combine(first, v.queued)
		return false
	}
	v.why = "event delivery: " + err.Error()
	return v.leave(vcpu.KindUnknown)
}

// vector pushes the frame and enters the handler. Nothing of the state changes
// before all of memory has.
func (v *fakeCPU) vector(ev vcpu.Event) error {
	s := &v.s
	ext := uint32(x86.ErrorCodeEXT)
	if ev.Type == vcpu.EventSoftInt || ev.Type == vcpu.EventSoftException {
		ext = 0
	}
	g, err := v.gate(ev.Vector, ext)
	if err != nil {
		return err
	}
	size := v.frameSize()
	frame := []uint64{s.RFLAGS, uint64(s.Seg[x86.CS].Selector), s.RIP + v.softLength(ev)}
	sp := s.GPR[x86.RSP]
	if s.LongMode() {
		frame = append([]uint64{uint64(s.Seg[x86.SS].Selector), sp}, frame...)
		sp &^= 15
	}
	if ev.HasError && s.CR0&x86.CR0PE != 0 {
		frame = append(frame, uint64(ev.ErrorCode))
	}
	mask := ^uint64(0) >> (64 - 8*uint(v.stackSize()))
	for _, w := range frame {
		sp = sp&^mask | (sp-uint64(size))&mask
		if err := v.mem.write(v.mem.segment(x86.SS, sp&mask), size, w); err != nil {
			return err
		}
	}
	cs, err := v.descriptor(g.selector)
	if err != nil {
		return err
	}
	s.Seg[x86.CS], s.RIP, s.GPR[x86.RSP] = cs, g.offset, sp
	s.RFLAGS &^= x86.FlagTF | x86.FlagRF | x86.FlagNT
	if !g.trap {
		s.RFLAGS &^= x86.FlagIF
	}
	return nil
}

// softLength is what RIP moves on before a software event is delivered.
func (v *fakeCPU) softLength(ev vcpu.Event) uint64 {
	if ev.Type == vcpu.EventSoftInt || ev.Type == vcpu.EventSoftException {
		return uint64(ev.Len)
	}
	return 0
}

// frameSize is the width in bytes of the words that an event pushes.
func (v *fakeCPU) frameSize() uint8 {
	switch {
	case v.s.LongMode():
		return 8
	case v.s.CR0&x86.CR0PE != 0:
		return 4
	}
	return 2
}

// stackSize is the width in bytes of the stack pointer.
func (v *fakeCPU) stackSize() uint8 {
	switch {
	case v.s.Mode64():
		return 8
	case v.s.Seg[x86.SS].Attr&x86.AttrDB != 0:
		return 4
	}
	return 2
}

// gate reads the vector's entry of the IDT, or of the interrupt vector table
// in real mode (SDM volume 3A, section 6.11 "IDT Descriptors", 6.14.1 "64-Bit
// Mode IDT", 22.1.4 "Interrupt and Exception Handling").
func (v *fakeCPU) gate(vector uint8, ext uint32) (gate, error) {
	s := &v.s
	n := uint64(v.frameSize()) * 2 // bytes of an entry: 4, 8 or 16
	if uint64(vector)*n+n-1 > uint64(s.IDTR.Limit) {
		return gate{}, v.gateFault(x86.VectorGP, vector, ext)
	}
	low, err := v.mem.read(s.IDTR.Base+uint64(vector)*n, uint8(min(n, 8)))
	if err != nil {
		return gate{}, err
	}
	if n == 4 {
		return gate{selector: uint16(low >> 16), offset: low & 0xFFFF}, nil
	}
	kind := low >> 40 & 0x1F
	if kind != x86.TypeIntGate && kind != x86.TypeTrapGate {
		return gate{}, v.gateFault(x86.VectorGP, vector, ext)
	}
	if low>>47&1 == 0 {
		return gate{}, v.gateFault(x86.VectorNP, vector, ext)
	}
	g := gate{selector: uint16(low >> 16), offset: low&0xFFFF | low>>32&0xFFFF_0000, trap: kind == x86.TypeTrapGate}
	if n == 16 {
		high, err := v.mem.read(s.IDTR.Base+uint64(vector)*n+8, 4)
		if err != nil {
			return gate{}, err
		}
		g.offset |= high << 32
	}
	return g, nil
}

// gateFault is the fault of an entry that cannot be used.
func (v *fakeCPU) gateFault(fault, vector uint8, ext uint32) error {
	return &insn.Fault{
		Vector: fault, HasError: v.s.CR0&x86.CR0PE != 0, ErrorCode: uint32(vector)<<3 | x86.ErrorCodeIDT | ext,
	}
}

// descriptor is the segment register that a selector gives: at the same
// privilege level, from the GDT.
func (v *fakeCPU) descriptor(sel uint16) (x86.Segment, error) {
	s := &v.s
	if s.CR0&x86.CR0PE == 0 {
		g := s.Seg[x86.CS]
		g.Selector, g.Base = sel, uint64(sel)<<4
		return g, nil
	}
	fault := &insn.Fault{Vector: x86.VectorGP, HasError: true, ErrorCode: uint32(sel &^ x86.SelectorRPL)}
	offset := uint64(sel &^ 7)
	if offset == 0 || sel&x86.SelectorTI != 0 || offset+7 > uint64(s.GDTR.Limit) {
		return x86.Segment{}, fault
	}
	d, err := v.mem.read(s.GDTR.Base+offset, 8)
	if err != nil {
		return x86.Segment{}, err
	}
	g := x86.ParseDescriptor(sel, d)
	if g.Attr&x86.AttrP == 0 {
		fault.Vector = x86.VectorNP
		return x86.Segment{}, fault
	}
	g.Attr |= x86.TypeAccessed
	return g, nil
}
