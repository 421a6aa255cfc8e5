package insn

import "ringo/x86"

// ioMapBase is the offset of the I/O map base address in a 32-bit or 64-bit
// TSS (SDM volume 1, figure "I/O Permission Bit Map").
const ioMapBase = 0x66

// doPort executes IN and OUT with the port in DX or an immediate byte.
func (e *Emulator) doPort() error {
	in := e.in
	reg, where := &in.Args[0], &in.Args[1]
	if in.Op == OUT {
		reg, where = where, reg
	}
	port := uint16(e.s.GPR[x86.RDX])
	if where.Kind == KindImm {
		port = uint16(uint8(in.Imm))
	}
	if err := e.portAllowed(port, reg.Size); err != nil {
		return err
	}
	if in.Op == OUT {
		return e.m.Out(port, reg.Size, uint32(e.reg(reg)))
	}
	v, err := e.m.In(port, reg.Size)
	if err == nil {
		e.setReg(reg, uint64(v))
	}
	return err
}

// portAllowed raises #GP(0) if the program may not access the port: CPL above
// IOPL, or virtual-8086 mode, and a bit set in the TSS's permission map.
func (e *Emulator) portAllowed(port uint16, size uint8) error {
	v86 := e.s.Virtual8086()
	iopl := uint8(e.s.RFLAGS & x86.FlagIOPL >> x86.FlagIOPLShift)
	if e.s.CR0&x86.CR0PE == 0 || e.s.CPL <= iopl && !v86 {
		return nil
	}
	tr := &e.s.Seg[x86.TR]
	if !tr.Usable() || tr.Type() != x86.TypeTSSBusy || tr.Limit < ioMapBase+1 {
		return e.gp()
	}
	base, err := e.loadTSS(ioMapBase)
	if err != nil {
		return err
	}
	at := uint32(base) + uint32(port>>3)
	if at+1 > tr.Limit {
		return e.gp()
	}
	bitmap, err := e.loadTSS(at)
	if err != nil {
		return err
	}
	if bitmap>>(port&7)&(1<<size-1) != 0 {
		return e.gp()
	}
	return nil
}

// loadTSS reads 2 bytes of the TSS, as supervisor.
func (e *Emulator) loadTSS(offset uint32) (uint16, error) {
	lin := e.s.Seg[x86.TR].Base + uint64(offset)
	if !e.s.LongMode() {
		lin &= 0xFFFFFFFF
	}
	p, err := e.translateLinear(lin, 2, AccessImplicit)
	if err != nil {
		return 0, err
	}
	v, err := e.load(&p)
	return uint16(v), err
}
