package vmx

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// VMX capability MSRs (SDM volume 3D, appendix A "VMX Capability Reporting
// Facility").
const (
	msrBasic        = 0x480
	msrPinBased     = 0x481
	msrPrimary      = 0x482
	msrExit         = 0x483
	msrEntry        = 0x484
	msrMisc         = 0x485
	msrCR0Fixed0    = 0x486
	msrCR0Fixed1    = 0x487
	msrCR4Fixed0    = 0x488
	msrCR4Fixed1    = 0x489
	msrSecondary    = 0x48B
	msrEPTVPID      = 0x48C
	msrTruePinBased = 0x48D
	msrTruePrimary  = 0x48E
	msrTrueExit     = 0x48F
	msrTrueEntry    = 0x490
)

// Fields of IA32_VMX_BASIC (section A.1).
const (
	basicRevision  = 0x7FFF_FFFF
	basicSizeShift = 32
	basicSizeMask  = 0x1FFF
	basicTrue      = 1 << 55 // the TRUE_ registers exist
)

// ErrNoControl says that the processor lacks a VMX feature that Ringo needs.
var ErrNoControl = errors.New("the processor's VT-x lacks a feature that Ringo needs")

// control is one bit of a control field that this backend wants.
type control struct {
	name   string
	bit    uint32
	needed bool
}

// controlField is a control field with what is wanted of it. Bits that are
// not listed take the value that the processor demands, and 0 where it leaves
// the choice.
type controlField struct {
	name      string
	msr, true uint32 // capability MSR and its TRUE_ form, 0 for none
	controls  []control
}

// Controls in the manual's order. What is switched while a vCPU lives is
// listed too, so that its absence is found at the start.
var (
	pinField = controlField{"pin-based VM-execution control", msrPinBased, msrTruePinBased, []control{
		{"external-interrupt exiting", PinExternalInterruptExiting, true},
		{"NMI exiting", PinNMIExiting, true},
		{"virtual NMIs", PinVirtualNMIs, true},
		{"activate VMX-preemption timer", PinPreemptionTimer, false},
	}}
	primaryField = controlField{"primary processor-based VM-execution control", msrPrimary, msrTruePrimary, []control{
		{"interrupt-window exiting", PrimaryInterruptWindowExiting, true},
		{"use TSC offsetting", PrimaryUseTSCOffsetting, true},
		{"HLT exiting", PrimaryHLTExiting, true},
		{"MWAIT exiting", PrimaryMWAITExiting, true},
		{"RDPMC exiting", PrimaryRDPMCExiting, true},
		{"use TPR shadow", PrimaryUseTPRShadow, true},
		{"NMI-window exiting", PrimaryNMIWindowExiting, true},
		{"MOV-DR exiting", PrimaryMOVDRExiting, true},
		{"unconditional I/O exiting", PrimaryUnconditionalIO, true},
		{"use MSR bitmaps", PrimaryUseMSRBitmaps, true},
		{"MONITOR exiting", PrimaryMONITORExiting, true},
		{"activate secondary controls", PrimarySecondaryControls, true},
	}}
	secondaryField = controlField{"secondary processor-based VM-execution control", msrSecondary, 0, []control{
		{"enable EPT", SecondaryEPT, true},
		{"enable RDTSCP", SecondaryRDTSCP, false},
		{"virtualize x2APIC mode", SecondaryVirtualizeX2APIC, false},
		{"enable VPID", SecondaryVPID, false},
		{"WBINVD exiting", SecondaryWBINVDExiting, false},
		{"unrestricted guest", SecondaryUnrestrictedGuest, true},
		{"APIC-register virtualization", SecondaryAPICRegister, false},
		{"virtual-interrupt delivery", SecondaryVirtualInterrupt, false},
		{"PAUSE-loop exiting", SecondaryPAUSELoopExiting, false},
		{"enable INVPCID", SecondaryINVPCID, false},
		{"enable PML", SecondaryPML, false},
		{"use TSC scaling", SecondaryTSCScaling, false},
	}}
	exitField = controlField{"VM-exit control", msrExit, msrTrueExit, []control{
		{"save debug controls", ExitSaveDebugControls, true},
		{"host address-space size", ExitHostAddressSpace, true},
		{"save IA32_PAT", ExitSavePAT, true},
		{"load IA32_PAT", ExitLoadPAT, true},
		{"load IA32_EFER", ExitLoadEFER, true},
	}}
	entryField = controlField{"VM-entry control", msrEntry, msrTrueEntry, []control{
		{"load debug controls", EntryLoadDebugControls, true},
		{"IA-32e mode guest", EntryIA32eGuest, true},
		{"load IA32_PAT", EntryLoadPAT, true},
		{"load IA32_EFER", EntryLoadEFER, true},
	}}
)

// Controls that are set only while they are wanted.
const (
	dynamicPin       = PinPreemptionTimer
	dynamicPrimary   = PrimaryInterruptWindowExiting | PrimaryNMIWindowExiting
	dynamicSecondary = SecondaryPML | SecondaryTSCScaling | virtualAPIC
	dynamicEntry     = EntryIA32eGuest
)

// build makes the value of a control field from the allowed 0-settings (bits
// that must be 1) in the low half of the capability MSR and the allowed
// 1-settings in the high half (section A.2 "Reserved Controls and Default
// Settings"). without names controls that count as absent.
func (f *controlField) build(capability uint64, without []string) (uint32, error) {
	must, may := uint32(capability), uint32(capability>>32)
	value := must
	var missing []string
	for _, c := range f.controls {
		switch {
		case may&c.bit != 0 && !slices.Contains(without, c.name):
			value |= c.bit
		case c.needed:
			missing = append(missing, fmt.Sprintf("%q (bit mask %#x)", c.name, c.bit))
		}
	}
	if missing != nil {
		return 0, fmt.Errorf("%s %s is not allowed by capability MSR value %#x: %w",
			f.name, strings.Join(missing, ", "), capability, ErrNoControl)
	}
	return value, nil
}

// controls are the values of the control fields.
type controls struct {
	pin, primary, secondary, exit, entry uint32
}

// msrFunc executes RDMSR.
type msrFunc func(msr uint32) uint64

// start is what a vCPU begins with.
func (c controls) start() controls {
	c.pin &^= dynamicPin
	c.primary &^= dynamicPrimary
	c.secondary &^= dynamicSecondary
	c.entry &^= dynamicEntry
	return c
}

// buildControls asks the capability MSRs.
func buildControls(rdmsr msrFunc, without []string) (controls, error) {
	var c controls
	hasTrue := rdmsr(msrBasic)&basicTrue != 0
	for _, x := range []struct {
		field *controlField
		value *uint32
	}{
		{&pinField, &c.pin}, {&primaryField, &c.primary}, {&secondaryField, &c.secondary},
		{&exitField, &c.exit}, {&entryField, &c.entry},
	} {
		msr := x.field.msr
		if hasTrue && x.field.true != 0 {
			msr = x.field.true
		}
		v, err := x.field.build(rdmsr(msr), without)
		if err != nil {
			return c, err
		}
		*x.value = v
	}
	return c, nil
}
