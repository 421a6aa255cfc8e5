package asm

// Addressing: ModRM, SIB and displacement (APM volume 3, section 1.4 "ModRM
// and SIB Bytes").

// checkMem refuses a memory operand that cannot be encoded.
func (a *Asm) checkMem(name string, m Mem) bool {
	size := a.addressSize(m)
	switch {
	case m.Base == RIP && (a.mode != Bits64 || m.Index != 0):
		a.errorf(ErrOperand, "%s: RIP is a base in 64-bit mode only, and takes no index", name)
	case m.Base != 0 && m.Base != RIP && !m.Base.isGPR(), m.Index != 0 && m.Index.size() != size:
		a.errorf(ErrOperand, "%s: base and index must be general registers of one width", name)
	case size == 64 && a.mode != Bits64 || size == 16 && a.mode == Bits64 || size == 8:
		a.errorf(ErrMode, "%s: %d-bit addressing does not exist in %d-bit mode", name, size, a.mode)
	case m.Index.number() == ESP.number() && m.Index != 0:
		a.errorf(ErrOperand, "%s: SP cannot be an index", name)
	case scaleBits(m.Scale) < 0:
		a.errorf(ErrOperand, "%s: scale %d is not 1, 2, 4 or 8", name, m.Scale)
	case size == 16 && rm16(m) < 0:
		a.errorf(ErrOperand, "%s: no such 16-bit addressing form", name)
	case m.Seg != 0 && m.Seg.class() != classSeg:
		a.errorf(ErrOperand, "%s: the override is no segment register", name)
	default:
		return true
	}
	return false
}

// addressSize returns the address size of m in bits.
func (a *Asm) addressSize(m Mem) int {
	switch {
	case m.Base == RIP:
		return 64
	case m.Base != 0:
		return m.Base.size()
	case m.Index != 0:
		return m.Index.size()
	}
	return int(a.mode)
}

var segPrefix = [6]byte{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65}

func (a *Asm) memPrefixes(m Mem) {
	if m.Seg != 0 && m.Seg.number() < len(segPrefix) {
		a.Raw(segPrefix[m.Seg.number()])
	}
	if a.addressSize(m) != int(a.mode) {
		a.Raw(0x67)
	}
}

func (a *Asm) modrmMem(reg Reg, m Mem) {
	switch {
	case a.addressSize(m) == 16:
		a.modrm16(reg, m)
	case m.Base == RIP || a.mode == Bits64 && m.Label != "" && m.Base == 0 && m.Index == 0:
		a.modrmRIP(reg, m)
	default:
		a.modrm32(reg, m)
	}
}

// modrmRIP writes a RIP-relative operand.
func (a *Asm) modrmRIP(reg Reg, m Mem) {
	a.modrm(0, reg, 5)
	if m.Label == "" {
		a.disp(m, 32)
		return
	}
	// emit sets end when the length of the instruction is known.
	a.fixups = append(a.fixups, fixup{at: len(a.code), size: 32, label: m.Label, add: m.Disp, relative: true})
	a.Space(4)
}

// modrm32 writes a 32 or 64-bit operand.
func (a *Asm) modrm32(reg Reg, m Mem) {
	sib := m.Index != 0 || m.Base == 0 && a.mode == Bits64 || m.Base != 0 && m.Base.number()&7 == 4
	mod, size := dispForm(m, 32)
	base := m.Base.number() & 7
	if m.Base == 0 {
		mod, size, base = 0, 32, 5
	} else if mod == 0 && base == 5 {
		mod, size = 1, 8 // [EBP] has no form without a displacement
	}
	if !sib {
		a.modrm(mod, reg, base)
		a.disp(m, size)
		return
	}
	index := 4 // none
	if m.Index != 0 {
		index = m.Index.number() & 7
	}
	a.modrm(mod, reg, 4)
	a.Raw(byte(scaleBits(m.Scale)<<6 | index<<3 | base))
	a.disp(m, size)
}

// modrm16 writes a 16-bit operand.
func (a *Asm) modrm16(reg Reg, m Mem) {
	mod, size := dispForm(m, 16)
	rm := rm16(m)
	if m.Base == 0 {
		mod, size = 0, 16
	} else if mod == 0 && rm == 6 {
		mod, size = 1, 8 // [BP] has no form without a displacement
	}
	a.modrm(mod, reg, rm)
	a.disp(m, size)
}

// rm16 returns ModRM.rm of a 16-bit operand, or -1.
func rm16(m Mem) int {
	forms := [8][2]Reg{{BX, SI}, {BX, DI}, {BP, SI}, {BP, DI}, {SI, 0}, {DI, 0}, {BP, 0}, {BX, 0}}
	if m.Scale > 1 {
		return -1
	}
	if m.Base == 0 && m.Index == 0 {
		return 6
	}
	for rm, f := range forms {
		if m.Base == f[0] && m.Index == f[1] {
			return rm
		}
	}
	return -1
}

// dispForm chooses the mod field and the width of the displacement.
func dispForm(m Mem, full int) (mod, size int) {
	switch {
	case m.Label != "":
		return 2, full
	case m.Disp == 0:
		return 0, 0
	case fits(m.Disp, 8, true):
		return 1, 8
	}
	return 2, full
}

func (a *Asm) disp(m Mem, size int) {
	if size == 0 {
		return
	}
	if m.Label != "" {
		a.value(Addr{Label: m.Label, Add: m.Disp}, size, false)
		return
	}
	a.value(Imm(m.Disp), size, a.mode == Bits64)
}

func scaleBits(scale int) int {
	switch scale {
	case 0, 1:
		return 0
	case 2:
		return 1
	case 4:
		return 2
	case 8:
		return 3
	}
	return -1
}
