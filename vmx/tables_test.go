package vmx

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// TestFieldEncodings checks width and type of the copied fields, which are
// guest state but for what the entry loads (SDM volume 3C, table "Structure of
// VMCS Component Encoding").
func TestFieldEncodings(t *testing.T) {
	const (
		width16 = iota
		width64
		width32
		natural
	)
	const guestState = 2
	seen := map[Field]bool{}
	for i, f := range fieldOf {
		require.NotZero(t, f, "copy %d has a field", i)
		require.False(t, seen[f], "field %#x is used twice", f)
		seen[f] = true
		if i == regCR0Shadow || i == regCR4Shadow || i == regEntryControls {
			continue
		}
		require.EqualValues(t, guestState, f>>10&3, "field %#x", f)
		require.Zero(t, f&1, "the full access to a field is even")
	}
	for i := range x86.NumSeg {
		require.EqualValues(t, width16, fieldOf[regSelector+i]>>13)
		require.EqualValues(t, width32, fieldOf[regLimit+i]>>13)
		require.EqualValues(t, width32, fieldOf[regAR+i]>>13)
		require.EqualValues(t, natural, fieldOf[regBase+i]>>13)
		require.Equal(t, fieldOf[regSelector]+Field(2*i), fieldOf[regSelector+i], "the order of Sreg")
		require.Equal(t, fieldOf[regLimit]+Field(2*i), fieldOf[regLimit+i])
		require.Equal(t, fieldOf[regAR]+Field(2*i), fieldOf[regAR+i])
		require.Equal(t, fieldOf[regBase]+Field(2*i), fieldOf[regBase+i])
	}
	require.EqualValues(t, width64, FieldEPTP>>13)
	require.EqualValues(t, natural, FieldGuestRIP>>13)
}

func TestParts(t *testing.T) {
	require.EqualValues(t, numRegs, partRange[numParts])
	require.EqualValues(t, 1<<numParts-1, partAll)
	for part, first := range map[int]uint8{
		partIP: regRIP, partFlags: regRFLAGS, partSP: regRSP, partAR: regAR, partSeg: regSelector, partTable: regGDTRBase,
		partCR: regCR0, partPDPTE: regPDPTE0, partMode: regEFER, partDebug: regDR7, partSysenter: regSysenterCS,
		partPAT: regPAT, partInterrupt: regInterruptibility,
	} {
		for i := range numParts {
			if part == 1<<i {
				require.Equal(t, first, partRange[i])
				require.Less(t, partRange[i], partRange[i+1])
			}
		}
	}
}

func TestExitReasonNames(t *testing.T) {
	for r, want := range map[ExitReason]string{
		0: "Exception or non-maskable interrupt (NMI)", 10: "CPUID", 28: "Control-register accesses", 30: "I/O instruction",
		33: "VM-entry failure due to invalid guest state", 48: "EPT violation", 55: "XSETBV", 77: "TDCALL",
		85: "WRMSRNS (immediate)", 35: "basic exit reason 35", 82: "basic exit reason 82", 0xFFFF: "basic exit reason 65535",
	} {
		require.Equal(t, want, r.String())
	}
	require.Equal(t, "VM-instruction error 7, VM entry with invalid control field(s)", InstructionError(7).String())
	require.Equal(t, "VM-instruction error 14", InstructionError(14).String())
	require.Equal(t, "VM-instruction error 99", InstructionError(99).String())
}

func TestKinds(t *testing.T) {
	require.Equal(t, vcpu.KindInvalid, kindOf(entryFailure|33))
	require.Equal(t, vcpu.KindUnknown, kindOf(uint32(ExitReasonTaskSwitch)))
	require.Equal(t, vcpu.KindUnknown, kindOf(uint32(ExitReasonEPTMisconfiguration)))
	require.Equal(t, vcpu.KindUnknown, kindOf(0xFFFF))
	require.Equal(t, vcpu.KindShutdown, kindOf(2))
	for _, r := range []ExitReason{ExitReasonINVVPID, ExitReasonSEAMCALL, ExitReasonTDCALL, ExitReasonRDMSRImmediate} {
		require.Equal(t, vcpu.KindInsn, kindOf(uint32(r)), "a guest can cause it: %v", r)
	}
}

func TestMSRBitmap(t *testing.T) {
	p := make([]byte, bitmapSize)
	fillBitmap(p)
	passed := map[uint32]bool{}
	for _, m := range passedMSRs {
		passed[m] = true
	}
	for _, base := range []uint32{0, 0xC000_0000} {
		for n := base; n < base+0x2000; n++ {
			at, bit, ok := bitmapPosition(n)
			require.True(t, ok)
			require.Equal(t, passed[n], p[at]&bit == 0, "read of MSR %#x", n)
			require.Equal(t, passed[n], p[at+bitmapWrite]&bit == 0, "write of MSR %#x", n)
		}
	}
	at, bit, ok := bitmapPosition(x86.MSRFSBase)
	require.True(t, ok)
	require.Equal(t, 1024+0x100/8, at, "the high range begins in the second KiB")
	require.EqualValues(t, 1, bit)
	_, _, ok = bitmapPosition(0x2000)
	require.False(t, ok)
	_, _, ok = bitmapPosition(0xC000_2000)
	require.False(t, ok)
	for _, n := range []uint32{x86.MSRSTAR, x86.MSRLSTAR, x86.MSREFER, x86.MSRTSCAux, x86.MSRSpecCtrl, x86.MSRAPICBase} {
		require.False(t, passed[n], "MSR %#x", n)
	}
}
