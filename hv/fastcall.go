package hv

import (
	"ringo/x86"
	"ringo/x86/insn"
)

// Fast system calls, as the processor that has them carries them out.

// syscall is SYSCALL of AMD's processors, in any mode (APM volume 3, SYSCALL).
// Real and virtual-8086 mode have no use of it and get #UD.
func syscall(s *x86.State, f *foreignCall) *insn.Fault {
	if s.EFER&x86.EFERSCE == 0 || !protected(s) {
		return &insn.Fault{Vector: x86.VectorUD}
	}
	mode64, flags := s.Mode64(), s.RFLAGS&^x86.FlagRF
	cs := uint16(s.STAR>>32) &^ x86.SelectorRPL
	s.GPR[x86.RCX] = f.next
	setFlat(s, cs, 0, s.LongMode())
	switch {
	case !s.LongMode():
		s.RFLAGS = flags &^ (x86.FlagIF | x86.FlagVM)
		s.RIP = s.STAR & 0xFFFF_FFFF
		return nil
	case mode64:
		s.RIP = s.LSTAR
	default:
		s.RIP = s.CSTAR
	}
	s.GPR[x86.R11] = flags
	s.RFLAGS = flags &^ (s.SFMASK & 0xFFFF_FFFF)
	return nil
}

// STAR's selector for SYSRET is that of 32-bit code; data and 64-bit code
// follow in the GDT.
const (
	sysretShift  = 48
	sysretCode64 = 16
)

// sysret is SYSRET of AMD's processors (APM volume 3, SYSRET). The hidden part
// of SS stays as it is there; here it becomes what the GDT has, because Intel's
// processors run nothing else at CPL 3.
func sysret(s *x86.State, f *foreignCall) *insn.Fault {
	switch {
	case s.EFER&x86.EFERSCE == 0 || !protected(s):
		return &insn.Fault{Vector: x86.VectorUD}
	case s.CPL != 0:
		return generalProtection()
	}
	base := uint16(s.STAR >> sysretShift)
	rip, flags, cs := s.GPR[x86.RCX]&0xFFFF_FFFF, s.RFLAGS|x86.FlagIF, base
	if s.Mode64() {
		flags = s.GPR[x86.R11] & x86.FlagsValid &^ (x86.FlagRF | x86.FlagVM)
		if f.rexW {
			rip, cs = s.GPR[x86.RCX], base+sysretCode64
		}
	}
	setFlat(s, cs, 3, f.rexW)
	s.Seg[x86.SS].Selector = (base + 8) | 3
	s.RIP, s.RFLAGS = rip, flags
	return nil
}

// sysenter is SYSENTER of Intel's processors (SDM volume 2B, SYSENTER).
func sysenter(s *x86.State, _ *foreignCall) *insn.Fault {
	if s.CR0&x86.CR0PE == 0 || s.SysenterCS&sysenterSelector == 0 {
		return generalProtection()
	}
	mask := addressMask(s.LongMode())
	s.RFLAGS &^= x86.FlagVM | x86.FlagIF
	s.GPR[x86.RSP], s.RIP = s.SysenterESP&mask, s.SysenterEIP&mask
	setFlat(s, uint16(s.SysenterCS)&^x86.SelectorRPL, 0, s.LongMode())
	return nil
}

// The selectors of SYSEXIT's code segments follow SYSENTER_CS.
const (
	sysenterSelector = 0xFFFC
	sysexitCode32    = 16
	sysexitCode64    = 32
)

// sysexit is SYSEXIT of Intel's processors (SDM volume 2B, SYSEXIT).
func sysexit(s *x86.State, f *foreignCall) *insn.Fault {
	if s.CR0&x86.CR0PE == 0 || s.SysenterCS&sysenterSelector == 0 || s.CPL != 0 {
		return generalProtection()
	}
	rip, rsp, cs := s.GPR[x86.RDX], s.GPR[x86.RCX], uint16(s.SysenterCS)+sysexitCode32
	if f.rexW {
		cs += sysexitCode64 - sysexitCode32
		if !x86.IsCanonical(rip, s.LinearBits()) || !x86.IsCanonical(rsp, s.LinearBits()) {
			return generalProtection()
		}
	}
	mask := addressMask(f.rexW)
	s.RIP, s.GPR[x86.RSP] = rip&mask, rsp&mask
	setFlat(s, cs, 3, f.rexW)
	return nil
}

func generalProtection() *insn.Fault { return &insn.Fault{Vector: x86.VectorGP, HasError: true} }

// protected tells whether the processor is in protected or long mode.
func protected(s *x86.State) bool { return s.CR0&x86.CR0PE != 0 && !s.Virtual8086() }

func addressMask(wide bool) uint64 {
	if wide {
		return ^uint64(0)
	}
	return 0xFFFF_FFFF
}

// setFlat enters a privilege level with the flat segments that these
// instructions load without the GDT: CS, and SS from the selector behind it.
func setFlat(s *x86.State, cs uint16, cpl uint8, code64 bool) {
	const limit = 0xFFFF_FFFF
	level := uint32(cpl) << x86.AttrDPLShift
	code := uint32(x86.AttrCode | x86.AttrG | x86.AttrDB)
	if code64 {
		code = x86.AttrCode | x86.AttrG | x86.AttrL
	}
	s.Seg[x86.CS] = x86.Segment{Selector: cs | uint16(cpl), Attr: code | level, Limit: limit}
	s.Seg[x86.SS] = x86.Segment{
		Selector: (cs + 8) | uint16(cpl), Attr: x86.AttrData | x86.AttrG | x86.AttrDB | level, Limit: limit,
	}
	s.CPL = cpl
}
