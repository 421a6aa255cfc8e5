package nucleus

import (
	"unsafe"

	"ringo/nucleus/reg"
)

// Where QEMU's emulator (TCG) loses or delays interrupts. Real processors and
// other emulators never come here but for a test of pollAt.

// tcgSignature is leaf 4000_0000H's answer in EBX, ECX and EDX: "TCGTCGTCGTCG".
var tcgSignature = [3]uint32{0x54474354, 0x43544743, 0x47435447}

// pollAt is the address of the local APIC's task-priority register if each
// exit of a guest must be followed by AfterExit's write, else 0.
var pollAt uintptr

// onTCG tells whether QEMU emulates this processor.
func onTCG() bool {
	if _, _, ecx, _ := reg.CPUID(1, 0); ecx&(1<<31) == 0 {
		return false
	}
	_, ebx, ecx, edx := reg.CPUID(0x40000000, 0)
	return [3]uint32{ebx, ecx, edx} == tcgSignature
}

// AfterExit must follow every exit of a guest. QEMU's VMRUN with a virtual
// interrupt pending sets a bit in the word that says what its processor has to
// look at, without the lock that other threads hold when they set one
// (helper_vmrun). An interrupt that comes in the same moment then stays in the
// APIC's IRR, and nobody looks: a CPU whose timer's was lost has no timer any
// more. A write of the task priority makes QEMU look again. Nucleus code only.
func AfterExit() {
	if pollAt != 0 {
		*(*uint32)(unsafe.Pointer(pollAt)) = 0
	}
}
