package main

import "strings"

// Row is one line of the report.
type Row struct {
	Name  string   `json:"name"`
	Unit  string   `json:"unit"`
	Value float64  `json:"value"`
	Must  *float64 `json:"must,omitempty"`  // at most this much is allowed
	Aim   *float64 `json:"aim,omitempty"`   // at most this much is hoped for
	Peer  *float64 `json:"peer,omitempty"`  // KVM with QEMU, not measured in this run
	Ratio *float64 `json:"ratio,omitempty"` // Value/Peer
	// Missed says that Value is above Must; Problem why there is no Value.
	Missed  bool   `json:"missed"`
	Problem string `json:"problem,omitempty"`
}

// Units.
const (
	unitTicks   = "ticks"
	unitMTicks  = "M ticks"
	unitCount   = ""
	unitPercent = "%"
	unitMillis  = "ms"
	unitMiB     = "MiB"
	unitKiB     = "KiB"
)

// none is a budget or a peer's figure that does not exist.
const none = -1

// budget is what a row is held against.
type budget struct {
	name, unit      string
	must, aim, peer float64 // none: no such figure
}

// budgets are the rows that have one. A measured row without a budget is
// reported all the same.
var budgets = []budget{
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

	{"cpuid: wrmsr", unitCount, 0, none, none},
	{"cpuid: xsave", unitCount, 0, none, none},
	{"cpuid: cr-write", unitCount, 0, none, none},
	{"cpuid: vmread", unitCount, 4, none, none},
	{"cpuid: lock", unitCount, 2, none, none},
	{"cpuid: vmrun", unitCount, 1, none, none},
	{"cpuid: vmload", unitCount, 2, none, none}, // one set: the guest's and the host's
	{"cpuid: vmsave", unitCount, 1, none, none},

	{"linux-boot", unitMTicks, 1550, none, 1629},
	{"linux-boot-bare", unitMTicks, none, none, none},
	{"linux-boot-bare-noapictimer", unitMTicks, none, none, none},
	{"linux-boot-exits", unitCount, 8000, none, 25000},
	{"linux-boot-host", unitPercent, 5, none, none},

	{"entry-to-guest", unitMillis, 300, 100, none},
	{"image", unitMiB, 16, 8, none},
	{"host-memory", unitMiB, 64, 24, none},
	{"vm-memory", unitKiB, 1024, 256, 52 << 10},
}

// newRow holds a value against its budget.
func newRow(name, unit string, value float64) Row {
	r := Row{Name: name, Unit: unit, Value: value}
	for _, b := range budgets {
		if b.name == name {
			r.Must, r.Aim, r.Peer = figure(b.must), figure(b.aim), figure(b.peer)
		}
	}
	r.Missed = r.Must != nil && value > *r.Must
	if r.Peer != nil && *r.Peer > 0 {
		ratio := value / *r.Peer
		r.Ratio = &ratio
	}
	return r
}

// withAim gives a row an aim that depends on another measurement.
func (r Row) withAim(aim float64) Row {
	r.Aim = &aim
	return r
}

// failed are rows that could not be measured, for one reason.
func failed(err error, names ...string) []Row {
	rows := make([]Row, len(names))
	for i, name := range names {
		rows[i] = newRow(name, unitOf(name), 0)
		rows[i].Ratio, rows[i].Missed = nil, false
		rows[i].Problem = err.Error()
	}
	return rows
}

// unitOf is the unit of a row that has a budget.
func unitOf(name string) string {
	for _, b := range budgets {
		if b.name == name {
			return b.unit
		}
	}
	return unitCount
}

func figure(v float64) *float64 {
	if v == none {
		return nil
	}
	return &v
}

// budgetsOf are the names of all budgets that begin with a text.
func budgetsOf(prefix string) []string {
	var names []string
	for _, b := range budgets {
		if strings.HasPrefix(b.name, prefix) {
			names = append(names, b.name)
		}
	}
	return names
}
