package apic

import (
	"ringo/hv/vcpu"
	"ringo/x86"
)

// WriteMSR is WRMSR of an x2APIC register, which raises #GP outside x2APIC
// mode.
func WriteMSR(a *vcpu.Area, msr uint32, v, now uint64) Action {
	if !X2APIC(a) {
		return ActionGP
	}
	return Write(a, msr-x86.MSRx2APICBase, v, now)
}

// Write writes a register at time now (host TSC). In x2APIC mode a reserved or
// read-only register, or a reserved bit, gives ActionGP and changes nothing. In
// xAPIC mode such bits are dropped, and a reserved register is logged in ESR.
func Write(a *vcpu.Area, r uint32, v, now uint64) Action {
	x2 := X2APIC(a)
	if !x2 {
		v = uint64(uint32(v))
	}
	switch r {
	case vcpu.APICTPR:
		if x2 && v>>8 != 0 {
			return ActionGP
		}
		return SetTPR(a, uint8(v))
	case vcpu.APICEOI:
		if x2 && v != 0 {
			return ActionGP
		}
		return EOI(a)
	case vcpu.APICSelfIPI:
		if x2 {
			return writeSelfIPI(a, v)
		}
	case vcpu.APICICR:
		return writeICR(a, v, x2)
	case vcpu.APICESR:
		if x2 && v != 0 {
			return ActionGP
		}
		latchErrors(a)
		return 0
	case vcpu.APICInitCount:
		if x2 && v>>32 != 0 {
			return ActionGP
		}
		return writeInitCount(a, uint32(v), now)
	case vcpu.APICDivide:
		if x2 && v&^divideMask != 0 {
			return ActionGP
		}
		return writeDivide(a, uint32(v)&divideMask, now)
	case vcpu.APICSVR:
		return writeSVR(a, v, x2)
	case vcpu.APICLVTCMCI, vcpu.APICLVTTimer, vcpu.APICLVTThermal, vcpu.APICLVTPerf,
		vcpu.APICLVTLINT0, vcpu.APICLVTLINT1, vcpu.APICLVTError:
		return writeLVT(a, r, v, x2, now)
	}
	if x2 {
		return ActionGP
	}
	return writeXAPIC(a, r, uint32(v))
}

// writeXAPIC writes what only the MMIO page has.
func writeXAPIC(a *vcpu.Area, r, v uint32) Action {
	switch r {
	case vcpu.APICLDR:
		setReg(a, r, v&0xFF000000)
	case vcpu.APICDFR:
		setReg(a, r, v|0x0FFFFFFF)
	case vcpu.APICICRHigh:
		*a.APIC.Reg(r) = v & 0xFF000000
	default:
		// A write of a register that can only be read has no effect.
		if r >= numRegs || readable>>r&1 == 0 {
			logError(a, esrIllegalRegister)
			return ActionLook
		}
	}
	return 0
}

func writeSelfIPI(a *vcpu.Area, v uint64) Action {
	if v>>8 != 0 {
		return ActionGP
	}
	if v < minVector {
		logError(a, esrSendIllegalVector)
		return ActionLook
	}
	if accepts(a) {
		request(a, uint8(v), false)
	}
	return ActionLook
}

func writeICR(a *vcpu.Area, v uint64, x2 bool) Action {
	low := uint32(v)
	if x2 {
		if low&^(icrMask|icrStatus) != 0 {
			return ActionGP
		}
		*a.APIC.Reg(vcpu.APICICRHigh) = uint32(v >> 32)
	}
	*a.APIC.Reg(vcpu.APICICR) = low & icrMask
	return ActionIPI
}

// writeSVR masks the whole LVT when software disables the APIC (section
// 11.4.7.2 "Local APIC State After It Has Been Software Disabled").
func writeSVR(a *vcpu.Area, v uint64, x2 bool) Action {
	if x2 && v&^svrMask != 0 {
		return ActionGP
	}
	setReg(a, vcpu.APICSVR, uint32(v)&svrMask)
	if v&svrEnable == 0 {
		for i := uint32(vcpu.APICLVTTimer); i <= vcpu.APICLVTError; i++ {
			setReg(a, i, reg(a, i)|lvtMasked)
		}
		setReg(a, vcpu.APICLVTCMCI, reg(a, vcpu.APICLVTCMCI)|lvtMasked)
	}
	return ActionLook
}

func writeLVT(a *vcpu.Area, r uint32, v uint64, x2 bool, now uint64) Action {
	mask := uint64(lvtMask)
	switch r {
	case vcpu.APICLVTTimer:
		mask = lvtTimerMask
	case vcpu.APICLVTLINT0, vcpu.APICLVTLINT1:
		mask = lvtLINTMask
	case vcpu.APICLVTError:
		mask = lvtErrorMask
	}
	if x2 && v&^(mask|lvtReadOnly) != 0 {
		return ActionGP
	}
	lvt := uint32(v & mask)
	if reg(a, vcpu.APICSVR)&svrEnable == 0 {
		lvt |= lvtMasked
	}
	if r == vcpu.APICLVTTimer {
		return writeLVTTimer(a, lvt, now)
	}
	setReg(a, r, lvt)
	return ActionLook
}
