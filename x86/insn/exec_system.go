package insn

import "ringo/x86"

// privileged raises #GP(0) above CPL 0.
func (e *Emulator) privileged() error {
	if e.s.CPL != 0 {
		return e.gp()
	}
	return nil
}

// doOwner checks what an instruction of the owner needs.
func (e *Emulator) doOwner() error {
	in := e.in
	e.lin = 0
	switch {
	case in.act == actOwnerPrivileged:
		if err := e.privileged(); err != nil {
			return err
		}
	case in.Op == RDTSC || in.Op == RDTSCP:
		if e.s.CPL != 0 && e.s.CR4&x86.CR4TSD != 0 {
			return e.gp()
		}
	case in.Op == RDPMC:
		if e.s.CPL != 0 && e.s.CR4&x86.CR4PCE == 0 {
			return e.gp()
		}
	}
	if in.Op == INVLPG {
		e.lin = e.invalidated()
	}
	return errOwner
}

// invalidated is the linear address of INVLPG's operand; it is not accessed.
func (e *Emulator) invalidated() uint64 {
	in := e.in
	lin := e.effective(&in.Mem, in.AddrSize)
	if e.mode != Mode64 || in.Mem.Seg == x86.FS || in.Mem.Seg == x86.GS {
		lin += e.s.Seg[in.Mem.Seg].Base
	}
	if e.mode != Mode64 {
		lin &= 0xFFFFFFFF
	}
	return lin
}

// doSystem executes moves of control and debug registers and parts of CR0.
func (e *Emulator) doSystem() error {
	in := e.in
	if in.act == actSMSW {
		return e.doSMSW()
	}
	if err := e.privileged(); err != nil {
		return err
	}
	switch in.act {
	case actReadCR:
		v := e.controlRegister(in.Args[1].Reg)
		e.setReg(&in.Args[0], v)
		return nil
	case actWriteCR:
		return e.writeCR(in.Args[0].Reg, e.reg(&in.Args[1]))
	case actReadDR, actWriteDR:
		return e.doDR()
	case actCLTS:
		return e.writeCR(0, e.s.CR0&^x86.CR0TS)
	}
	return e.doLMSW()
}

// controlRegister reads a control register; the decoder let only real ones
// pass.
func (e *Emulator) controlRegister(n uint8) uint64 {
	switch n {
	case 0:
		return e.s.CR0
	case 2:
		return e.s.CR2
	case 3:
		return e.s.CR3
	case 4:
		return e.s.CR4
	}
	return e.s.CR8
}

// writeCR leaves all control registers but CR2 to the machine.
func (e *Emulator) writeCR(n uint8, v uint64) error {
	if n == 2 {
		e.s.CR2 = v
		return nil
	}
	ok, err := e.m.WriteCR(n, v)
	if err == nil && !ok {
		err = e.gp()
	}
	return err
}

// mswBits are the bits of CR0 that LMSW loads.
const mswBits = x86.CR0PE | x86.CR0MP | x86.CR0EM | x86.CR0TS

// doLMSW can set PE but not clear it.
func (e *Emulator) doLMSW() error {
	if e.in.IsMem() {
		if err := e.prepare(); err != nil {
			return err
		}
	}
	v, err := e.get(&e.in.Args[0])
	if err != nil {
		return err
	}
	keep := e.s.CR0 &^ mswBits
	return e.writeCR(0, keep|v&mswBits|e.s.CR0&x86.CR0PE)
}

// doSMSW stores the low bits of CR0.
func (e *Emulator) doSMSW() error {
	if e.s.CPL != 0 && e.s.CR4&x86.CR4UMIP != 0 {
		return e.gp()
	}
	if e.in.IsMem() {
		if err := e.prepare(); err != nil {
			return err
		}
	}
	return e.put(&e.in.Args[0], e.s.CR0)
}

// doDR moves a debug register. DR4 and DR5 are DR6 and DR7 unless CR4.DE
// forbids them (SDM volume 3B, section 18.2.2 "Debug Registers DR4 and DR5").
func (e *Emulator) doDR() error {
	in, s := e.in, e.s
	write := in.act == actWriteDR
	dr, gpr := &in.Args[1], &in.Args[0]
	if write {
		dr, gpr = gpr, dr
	}
	n := dr.Reg
	if n == 4 || n == 5 {
		if s.CR4&x86.CR4DE != 0 {
			return e.ud()
		}
		n += 2
	}
	if s.DR7&x86.DR7GD != 0 {
		s.DR6 |= x86.DR6BD
		s.DR7 &^= x86.DR7GD
		return e.raise(x86.VectorDB)
	}
	if !write {
		e.setReg(gpr, e.debugRegister(n))
		return nil
	}
	return e.writeDR(n, e.reg(gpr))
}

// debugRegister reads DR0 to DR3, DR6 or DR7.
func (e *Emulator) debugRegister(n uint8) uint64 {
	switch n {
	case 6:
		return e.s.DR6
	case 7:
		return e.s.DR7
	}
	return e.s.DR[n&3]
}

// writeDR refuses a set bit in the upper half of DR6 and DR7 and keeps their
// fixed bits.
func (e *Emulator) writeDR(n uint8, v uint64) error {
	if n < 4 {
		e.s.DR[n] = v
		return nil
	}
	if v>>32 != 0 {
		return e.gp()
	}
	if n == 6 {
		const writable = x86.DR6B0 | x86.DR6B1 | x86.DR6B2 | x86.DR6B3 | x86.DR6BD | x86.DR6BS | x86.DR6BT
		e.s.DR6 = v&writable | x86.DR6Reserved
		return nil
	}
	const fixedZero = 1<<11 | 1<<12 | 1<<14 | 1<<15
	e.s.DR7 = v&^fixedZero | x86.DR7Reserved
	return nil
}
