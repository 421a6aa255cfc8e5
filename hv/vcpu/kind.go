package vcpu

import "fmt"

var kindNames = [NumKinds]string{
	"none", "pio", "mmio", "stage2", "cpuid", "rdmsr", "wrmsr", "cr", "hlt", "pause", "xsetbv", "hypercall",
	"intr-window", "nmi-window", "eoi", "exception", "ext-int", "shutdown", "init", "sipi", "kick", "deadline",
	"insn", "invalid", "unknown",
}

// String is the kind's name as statistics and reports print it.
func (k Kind) String() string {
	if k < NumKinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}
