package bundle

import "time"

// Node is the part of ringo.yaml about the machine itself.
type Node struct {
	Name       string
	LogLevel   LogLevel
	OnPanic    PanicPolicy
	GOMAXPROCS int // threads that run Go at once; 0: one per CPU
	Console    NodeConsole
}

// NodeConsole is Ringo's own console on the host's serial line.
type NodeConsole struct {
	Escape byte // the control character that leads from a guest to Ringo
}

// VM is one virtual machine as ringo.yaml defines it, with the defaults
// filled in.
type VM struct {
	Name         string
	Machine      string // machine version, one of Machines()
	Memory       uint64 // RAM in bytes, a multiple of 2 MiB
	VCPUs        int    // 1 to MaxVCPUs
	CPUWeight    int    // share of the CPUs against other VMs
	CPUCap       int    // upper limit in percent of one CPU; 0: none
	Kernel       string // name of a file of the bundle
	Initrd       string // name of a file of the bundle; "": none
	Cmdline      string
	BootProtocol BootProtocol
	Autostart    bool
	StartOrder   int           // lower starts first
	StartDelay   time.Duration // to wait before this VM starts
	OnCrash      CrashPolicy
	OnPoweroff   PoweroffPolicy
	Console      VMConsole
	Clock        ClockBase
	CPUID        CPUID
	DebugExit    bool // a debug-exit port for tests

	at position
}

// VMConsole is the serial console of a VM.
type VMConsole struct {
	Scrollback uint64 // bytes of output that are kept
}

// CPUID changes what the guest sees of the processor.
type CPUID struct {
	Hide []string // names of features that the guest does not see
}

// LogLevel is the least important message that the node still logs.
type LogLevel string

// Log levels, from most to least.
const (
	LogDebug LogLevel = "debug"
	LogInfo  LogLevel = "info"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
)

// PanicPolicy is what the node does after a panic of its own.
type PanicPolicy string

// Panic policies.
const (
	PanicHalt   PanicPolicy = "halt"
	PanicReboot PanicPolicy = "reboot"
)

// BootProtocol is how a kernel is entered.
type BootProtocol string

// Boot protocols.
const (
	BootAuto      BootProtocol = "auto" // by what the kernel's file is
	BootLinux     BootProtocol = "linux"
	BootPVH       BootProtocol = "pvh"
	BootMultiboot BootProtocol = "multiboot"
)

// CrashPolicy is what happens to a VM that cannot go on: triple fault,
// shutdown, or a fault of Ringo itself that it caused.
type CrashPolicy string

// Crash policies.
const (
	CrashStop    CrashPolicy = "stop"    // give everything back
	CrashRestart CrashPolicy = "restart" // start again
	CrashKeep    CrashPolicy = "keep"    // keep it as it is, for inspection
)

// PoweroffPolicy is what happens to a VM that has powered itself off.
type PoweroffPolicy string

// Power-off policies.
const (
	PoweroffStop    PoweroffPolicy = "stop"
	PoweroffRestart PoweroffPolicy = "restart"
)

// ClockBase is what the guest's clock chip shows.
type ClockBase string

// ClockUTC is the only clock base: the chip shows UTC.
const ClockUTC ClockBase = "utc"

// Limits of the schema.
const (
	MaxVMs        = 1024
	MaxVCPUs      = 64
	MinMemory     = 2 << 20
	MaxMemory     = 1 << 46 // 64 TiB
	MemoryStep    = 2 << 20
	MaxCmdline    = 2047 // bytes; Linux on x86 takes 2048 with the final NUL
	MaxConfigSize = 1 << 20
	MaxWeight     = 10000
	MaxHidden     = 256 // names in cpuid.hide
)

// Machines lists the machine versions that this Ringo can run.
func Machines() []string { return []string{"ringo-1"} }

// defaultNode is a node that ringo.yaml says nothing about.
func defaultNode() Node {
	return Node{
		Name:     "ringo",
		LogLevel: LogInfo,
		OnPanic:  PanicHalt,
		Console:  NodeConsole{Escape: 0x1d}, // ^]
	}
}

// defaultVM is a VM before its keys are read.
func defaultVM() VM {
	return VM{
		Machine:      Machines()[0],
		VCPUs:        1,
		CPUWeight:    100,
		BootProtocol: BootAuto,
		Autostart:    true,
		StartOrder:   100,
		OnCrash:      CrashStop,
		OnPoweroff:   PoweroffStop,
		Console:      VMConsole{Scrollback: 256 << 10},
		Clock:        ClockUTC,
	}
}
