package bundle

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// The tables below are the schema of ringo.yaml; docs/bundle.md describes
// them in the same order.

var topKeys = []key[Bundle]{
	{"node", func(f field, b *Bundle) { mapping(f, nodeKeys, &b.Node) }},
	{"vms", func(f field, b *Bundle) { b.VMs = f.vms() }},
}

var nodeKeys = []key[Node]{
	{"name", func(f field, n *Node) { n.Name = f.word(63) }},
	{"loglevel", func(f field, n *Node) { n.LogLevel = choice(f, LogDebug, LogInfo, LogWarn, LogError) }},
	{"onpanic", func(f field, n *Node) { n.OnPanic = choice(f, PanicHalt, PanicReboot) }},
	{"gomaxprocs", func(f field, n *Node) { n.GOMAXPROCS = f.integer(0, 512) }},
	{"console", func(f field, n *Node) { mapping(f, nodeConsoleKeys, &n.Console) }},
}

var nodeConsoleKeys = []key[NodeConsole]{
	{"escape", func(f field, c *NodeConsole) { c.Escape = f.control() }},
}

var vmKeys = []key[VM]{
	{"name", func(f field, v *VM) { v.Name = f.word(63) }},
	{"machine", func(f field, v *VM) { v.Machine = choice(f, Machines()...) }},
	{"memory", func(f field, v *VM) { v.Memory = f.size(MinMemory, MaxMemory, MemoryStep) }},
	{"vcpus", func(f field, v *VM) { v.VCPUs = f.integer(1, MaxVCPUs) }},
	{"cpu-weight", func(f field, v *VM) { v.CPUWeight = f.integer(1, MaxWeight) }},
	{"cpu-cap", func(f field, v *VM) { v.CPUCap = f.integer(1, 100*MaxVCPUs) }},
	{"kernel", func(f field, v *VM) { v.Kernel = f.file() }},
	{"initrd", func(f field, v *VM) { v.Initrd = f.file() }},
	{"cmdline", func(f field, v *VM) { v.Cmdline = f.cmdline() }},
	{"boot-protocol", func(f field, v *VM) { v.BootProtocol = choice(f, BootAuto, BootLinux, BootPVH, BootMultiboot) }},
	{"autostart", func(f field, v *VM) { v.Autostart = f.boolean() }},
	{"start-order", func(f field, v *VM) { v.StartOrder = f.integer(0, 1<<20) }},
	{"start-delay", func(f field, v *VM) { v.StartDelay = f.duration(24 * time.Hour) }},
	{"on-crash", func(f field, v *VM) { v.OnCrash = choice(f, CrashStop, CrashRestart, CrashKeep) }},
	{"on-poweroff", func(f field, v *VM) { v.OnPoweroff = choice(f, PoweroffStop, PoweroffRestart) }},
	{"console", func(f field, v *VM) { mapping(f, vmConsoleKeys, &v.Console) }},
	{"clock", func(f field, v *VM) { v.Clock = choice(f, ClockUTC) }},
	{"cpuid", func(f field, v *VM) { mapping(f, cpuidKeys, &v.CPUID) }},
	{"debug-exit", func(f field, v *VM) { v.DebugExit = f.boolean() }},
}

var vmConsoleKeys = []key[VMConsole]{
	{"scrollback", func(f field, c *VMConsole) { c.Scrollback = f.size(4<<10, 16<<20, 1) }},
}

var cpuidKeys = []key[CPUID]{
	{"hide", func(f field, c *CPUID) {
		for _, e := range f.list(MaxHidden) {
			c.Hide = append(c.Hide, e.word(32))
		}
	}},
}

// requiredKeys are the keys of a VM that have no default.
var requiredKeys = []string{"name", "memory", "kernel"}

// bundle reads the whole text of ringo.yaml.
func (d *decoder) bundle(text []byte) *Bundle {
	b := &Bundle{Node: defaultNode()}
	if top := d.parse(text); top != nil {
		mapping(field{d, "", top}, topKeys, b)
	}
	return b
}

// vms reads the list of VM definitions; names are unique.
func (f field) vms() []VM {
	var list []VM
	first := map[string]int{} // line of the VM that has the name
	for _, e := range f.list(MaxVMs) {
		v := e.vm()
		if line, ok := first[v.Name]; ok && v.Name != "" {
			p := v.Problem("name", ErrDuplicate, "the VM of line %d has the name %s too", line, quote(v.Name))
			f.d.problems = append(f.d.problems, p)
		} else {
			first[v.Name] = v.at.line
		}
		list = append(list, v)
	}
	return list
}

func (f field) vm() VM {
	v := defaultVM()
	lines := mapping(f, vmKeys, &v)
	v.at = position{prefix: f.key, line: f.node.Line, lines: lines}
	if f.node.Kind != yaml.MappingNode {
		return v
	}
	for _, name := range requiredKeys {
		if lines[name] == 0 {
			field{f.d, joinKey(f.key, name), f.node}.problem(ErrMissing, "every VM needs %s", strings.Join(requiredKeys, ", "))
		}
	}
	return v
}

// cmdline reads a kernel command line.
func (f field) cmdline() string {
	s := f.text("the kernel's command line")
	if len(s) > MaxCmdline {
		f.problem(ErrTooMuch, "%d bytes, the kernel takes at most %d", len(s), MaxCmdline)
		return ""
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			f.problem(ErrValue, "control character 0x%02x at byte %d", s[i], i)
			return ""
		}
	}
	return s
}
