package main

import "strings"

// none is a budget or a peer's figure that does not exist.
const none = -1

// budget is what a row is held against.
type budget struct {
	name, unit      string
	must, aim, peer float64 // none: no such figure
}

// svmBudgets are the rows in QEMU, on AMD-V, that have one. A measured row
// without a budget is reported all the same. The peer is KVM with QEMU.
var svmBudgets = append([]budget{
	{"cpuid", unitTicks, 600, 280, 2841},
	{"vmmcall", unitTicks, none, none, 2789},
	{"port-read", unitTicks, 900, 450, 4971},
	{"port-read-uart", unitTicks, 900, 450, 4971},
	{"mmio-write", unitTicks, 1800, 700, 6972},
	{"tsc-adjust-write", unitTicks, none, none, 3321},
	{"tsc-adjust-read", unitTicks, none, none, 2803},
	{"cr0-wp", unitTicks, none, none, 8700},
	{"eoi-xapic", unitTicks, none, none, none},
	{"self-ipi-xapic", unitTicks, 2500, 900, none},
	{"self-ipi-hlt-xapic", unitTicks, none, none, none},
	// The peer's APIC rows cost what its MSR writes cost, so they are x2APIC's.
	{"eoi-x2apic", unitTicks, none, none, 3340},
	{"self-ipi-x2apic", unitTicks, 2500, 900, 9065},
	{"self-ipi-hlt-x2apic", unitTicks, none, none, 11947},

	{"cpuid: vmload", unitCount, 2, none, none}, // one set: the guest's and the host's
	{"cpuid: vmsave", unitCount, 1, none, none},

	{"linux-boot", unitMTicks, 1550, none, 1629},
	{"linux-boot-exits", unitCount, 8000, none, 25000},
	{"vm-memory", unitKiB, 1024, 256, 52 << 10},
}, commonBudgets...)

// vmxBudgets are the rows in Bochs, on VT-x. The peer is KVM with kvmtool; what
// it takes of exits for a boot and of memory was seen on AMD-V.
var vmxBudgets = append([]budget{
	{"cpuid", unitTicks, 450, 250, 1115},
	{"vmcall", unitTicks, none, none, 1046},
	{"port-read", unitTicks, 800, 420, 3406},
	{"port-read-uart", unitTicks, 800, 420, 3406},
	{"tsc-adjust-write", unitTicks, none, none, 1587},
	{"tsc-adjust-read", unitTicks, none, none, 1154},
	{"cr0-wp", unitTicks, none, 40, 4148},
	{"eoi-xapic", unitTicks, 500, 40, none},
	{"self-ipi-xapic", unitTicks, 1800, 700, none},
	{"eoi-x2apic", unitTicks, 500, 40, 1690},
	{"self-ipi-x2apic", unitTicks, 1800, 700, 5802},
	{"self-ipi-hlt-x2apic", unitTicks, none, none, 7000},

	{"linux-boot", unitMTicks, none, none, none},
	{"linux-boot-exits", unitCount, 8000, none, 36000},
	{"vm-memory", unitKiB, 1024, 256, 1172},
}, commonBudgets...)

// commonBudgets do not depend on the processor.
var commonBudgets = []budget{
	{"cpuid: vmrun", unitCount, 1, none, none},
	{"cpuid: wrmsr", unitCount, 0, none, none},
	{"cpuid: xsave", unitCount, 0, none, none},
	{"cpuid: cr-write", unitCount, 0, none, none},
	{"cpuid: vmread", unitCount, 4, none, none},
	{"cpuid: lock", unitCount, 2, none, none},

	{"linux-boot-bare", unitMTicks, none, none, none},
	{"linux-boot-bare-noapictimer", unitMTicks, none, none, none},
	{"linux-boot-host", unitPercent, 5, none, none},

	{"entry-to-guest", unitMillis, 300, 100, none},
	{"image", unitMiB, 16, 8, none},
	{"host-memory", unitMiB, 64, 24, none},
}

// budgetOf gives the budget of a row.
func budgetOf(budgets []budget, name string) (budget, bool) {
	for _, b := range budgets {
		if b.name == name {
			return b, true
		}
	}
	return budget{}, false
}

// budgetsOf are the names of all budgets that begin with a text.
func budgetsOf(budgets []budget, prefix string) []string {
	var names []string
	for _, b := range budgets {
		if strings.HasPrefix(b.name, prefix) {
			names = append(names, b.name)
		}
	}
	return names
}
