package msr

import (
	"fmt"

	"ringo/x86"
)

// MTRRs have no effect, since stage 2 makes guest RAM write-back; guests read
// them to learn what firmware thought of the address map, so they hold what
// firmware would have written: write-back everywhere but in the hole below
// 4 GiB and in the legacy video window.
const (
	variablePairs = 8
	mtrrCap       = variablePairs | mtrrCapFIX | mtrrCapWC
	mtrrCapFIX    = 1 << 8
	mtrrCapWC     = 1 << 10

	defTypeE     = 1 << 11
	defTypeFE    = 1 << 10
	defTypeMask  = defTypeE | defTypeFE | 0xFF
	physMaskV    = 1 << 11
	physAddrMask = 0x000F_FFFF_FFFF_F000

	typeUC = 0
	typeWB = 6

	allWB = 0x0606_0606_0606_0606

	holeBase = 0xC000_0000
	holeSize = 0x4000_0000
)

// fixedRanges are the fixed-range registers in the order of their addresses.
var fixedRanges = []Register{
	{Number: x86.MSRMTRRFix64K00000, Name: "MTRR_FIX64K_00000", Reset: allWB},
	{Number: x86.MSRMTRRFix16K80000, Name: "MTRR_FIX16K_80000", Reset: allWB},
	{Number: x86.MSRMTRRFix16KA0000, Name: "MTRR_FIX16K_A0000"}, // video: uncacheable
	{Number: x86.MSRMTRRFix4KC0000, Name: "MTRR_FIX4K_C0000", Reset: allWB},
	{Number: x86.MSRMTRRFix4KC8000, Name: "MTRR_FIX4K_C8000", Reset: allWB},
	{Number: x86.MSRMTRRFix4KD0000, Name: "MTRR_FIX4K_D0000", Reset: allWB},
	{Number: x86.MSRMTRRFix4KD8000, Name: "MTRR_FIX4K_D8000", Reset: allWB},
	{Number: x86.MSRMTRRFix4KE0000, Name: "MTRR_FIX4K_E0000", Reset: allWB},
	{Number: x86.MSRMTRRFix4KE8000, Name: "MTRR_FIX4K_E8000", Reset: allWB},
	{Number: x86.MSRMTRRFix4KF0000, Name: "MTRR_FIX4K_F0000", Reset: allWB},
	{Number: x86.MSRMTRRFix4KF8000, Name: "MTRR_FIX4K_F8000", Reset: allWB},
}

func mtrrs() []Register {
	t := []Register{
		{Number: x86.MSRMTRRCap, Name: "MTRRCAP", Class: Constant, Reset: mtrrCap},
		{Number: x86.MSRMTRRDefType, Name: "MTRR_DEF_TYPE", Class: Stored, Mask: defTypeMask,
			Reset: defTypeE | defTypeFE | typeWB, check: validLowType},
	}
	for _, r := range fixedRanges {
		r.Class, r.Mask, r.check = Stored, ^uint64(0), validTypes
		t = append(t, r)
	}
	for i := range uint32(variablePairs) {
		base := Register{
			Number: x86.MSRMTRRPhysBase0 + 2*i, Name: fmt.Sprintf("MTRR_PHYSBASE%d", i),
			Class: Stored, Mask: physAddrMask | 0xFF, check: validLowType,
		}
		mask := Register{
			Number: x86.MSRMTRRPhysMask0 + 2*i, Name: fmt.Sprintf("MTRR_PHYSMASK%d", i),
			Class: Stored, Mask: physAddrMask | physMaskV,
		}
		if i == 0 {
			base.Reset = holeBase | typeUC
			mask.Reset = physAddrMask&^(holeSize-1) | physMaskV
		}
		t = append(t, base, mask)
	}
	return t
}

// validType tells whether an MTRR may hold the memory type (SDM volume 3A,
// table "Memory Types That Can Be Encoded in MTRRs").
func validType(t uint64) bool {
	return t == 0 || t == 1 || t == 4 || t == 5 || t == 6
}

func validLowType(v uint64) bool { return validType(v & 0xFF) }

// validTypes checks the eight types of a fixed-range register.
func validTypes(v uint64) bool {
	for ; v != 0; v >>= 8 {
		if !validType(v & 0xFF) {
			return false
		}
	}
	return true
}

// ValidPAT tells whether WRMSR accepts v for IA32_PAT (SDM volume 3A, table
// "Memory Types That Can Be Encoded With PAT").
func ValidPAT(v uint64) bool {
	const uncachedMinus = 7
	for ; v != 0; v >>= 8 {
		if t := v & 0xFF; !validType(t) && t != uncachedMinus {
			return false
		}
	}
	return true
}
