package insn

import "ringo/x86"

// maxIterations bounds the iterations of one Step; StatusAgain asks for more.
const maxIterations = 1024

// The string instructions by opcode without the width bit.
const (
	stringINS  = 0x6C
	stringOUTS = 0x6E
	stringMOVS = 0xA4
	stringCMPS = 0xA6
	stringSTOS = 0xAA
	stringLODS = 0xAC
	stringSCAS = 0xAE
)

// doString executes a string instruction with or without REP. Registers hold
// the state between iterations, so it can be left and begun again at any.
func (e *Emulator) doString() error {
	in := e.in
	op := in.Opcode &^ 1
	if op == stringINS || op == stringOUTS {
		if err := e.portAllowed(uint16(e.s.GPR[x86.RDX]), in.Args[0].Size); err != nil {
			return err
		}
	}
	if in.Rep == 0 {
		_, err := e.iterate(op)
		return err
	}
	for range maxIterations {
		count := e.count()
		if e.reg(&count) == 0 {
			return nil
		}
		stop, err := e.iterate(op)
		if err != nil {
			return err
		}
		left := e.reg(&count) - 1
		e.setReg(&count, left)
		if left == 0 || stop {
			return nil
		}
		if e.s.RFLAGS&x86.FlagTF != 0 {
			return errTraced // a #DB trap is due between iterations
		}
	}
	return ErrAgain
}

// count is RCX in the address size.
func (e *Emulator) count() Operand { return Operand{Kind: KindReg, Reg: x86.RCX, Size: e.in.AddrSize} }

// iterate executes one element. stop says that a comparison ends the
// repetition.
func (e *Emulator) iterate(op uint8) (stop bool, err error) {
	size := e.in.Args[0].Size
	acc := Operand{Kind: KindReg, Reg: x86.RAX, Size: size}
	switch op {
	case stringMOVS:
		err = e.movs(size)
	case stringSTOS:
		err = e.storeString(size, e.reg(&acc))
	case stringLODS:
		var v uint64
		if v, err = e.loadString(size); err == nil {
			e.setReg(&acc, v)
			e.advance(x86.RSI, size)
		}
	case stringINS:
		err = e.ins(size)
	case stringOUTS:
		err = e.outs(size)
	case stringCMPS, stringSCAS:
		return e.compare(op, size, e.reg(&acc))
	}
	return false, err
}

// index is RSI or RDI in the address size.
func (e *Emulator) index(reg uint8) uint64 { return e.s.GPR[reg] & sizeMask(e.in.AddrSize) }

// advance moves RSI or RDI by one element in the direction that DF says.
func (e *Emulator) advance(reg, size uint8) {
	o := Operand{Kind: KindReg, Reg: reg, Size: e.in.AddrSize}
	step := uint64(size)
	if e.s.RFLAGS&x86.FlagDF != 0 {
		step = -step
	}
	e.setReg(&o, e.reg(&o)+step)
}

// source and destination translate the elements at DS:RSI, where an override
// counts, and ES:RDI, where it does not.
func (e *Emulator) source(size uint8) (span, error) {
	return e.translate(e.in.Mem.Seg, e.index(x86.RSI), size, 0)
}

func (e *Emulator) destination(size uint8, access Access) (span, error) {
	return e.translate(x86.ES, e.index(x86.RDI), size, access)
}

// loadString reads the element at the source.
func (e *Emulator) loadString(size uint8) (uint64, error) {
	p, err := e.source(size)
	if err != nil {
		return 0, err
	}
	return e.load(&p)
}

// storeString writes an element to the destination and moves on.
func (e *Emulator) storeString(size uint8, v uint64) error {
	p, err := e.destination(size, AccessWrite)
	if err != nil {
		return err
	}
	if err := e.store(&p, v); err != nil {
		return err
	}
	e.advance(x86.RDI, size)
	return nil
}

// movs translates both elements before it reads: a device must not be read
// twice because the destination faults.
func (e *Emulator) movs(size uint8) error {
	from, err := e.source(size)
	if err != nil {
		return err
	}
	to, err := e.destination(size, AccessWrite)
	if err != nil {
		return err
	}
	v, err := e.load(&from)
	if err != nil {
		return err
	}
	if err := e.store(&to, v); err != nil {
		return err
	}
	e.advance(x86.RSI, size)
	e.advance(x86.RDI, size)
	return nil
}

// compare is one element of CMPS or SCAS.
func (e *Emulator) compare(op, size uint8, a uint64) (stop bool, err error) {
	to, err := e.destination(size, 0)
	if err != nil {
		return false, err
	}
	if op == stringCMPS {
		if a, err = e.loadString(size); err != nil {
			return false, err
		}
	}
	b, err := e.load(&to)
	if err != nil {
		return false, err
	}
	_, flags := sub(a, b, 0, size)
	e.setFlags(x86.FlagsStatus, flags)
	if op == stringCMPS {
		e.advance(x86.RSI, size)
	}
	e.advance(x86.RDI, size)
	equal := flags&x86.FlagZF != 0
	return equal == (e.in.Rep == prefixRepne), nil
}

// ins reads the port only when the destination can take it.
func (e *Emulator) ins(size uint8) error {
	p, err := e.destination(size, AccessWrite)
	if err != nil {
		return err
	}
	v, err := e.m.In(uint16(e.s.GPR[x86.RDX]), size)
	if err != nil {
		return err
	}
	if err := e.store(&p, uint64(v)); err != nil {
		return err
	}
	e.advance(x86.RDI, size)
	return nil
}

// outs writes one element to the port.
func (e *Emulator) outs(size uint8) error {
	v, err := e.loadString(size)
	if err != nil {
		return err
	}
	if err := e.m.Out(uint16(e.s.GPR[x86.RDX]), size, uint32(v)); err != nil {
		return err
	}
	e.advance(x86.RSI, size)
	return nil
}
