package hv

import (
	"fmt"
	"hash/fnv"

	"ringo/hv/cpuid"
	"ringo/hv/vcpu"
	"ringo/memory"
)

// MachineRingo1 is the name of the first machine version.
const MachineRingo1 = "ringo-1"

// Config is the definition of one VM. It does not change while the VM exists.
type Config struct {
	Name string
	// UUID identifies the VM to its guest; zero means one made of the name.
	UUID    [16]byte
	Machine string // machine version; empty means MachineRingo1
	Memory  uint64 // bytes of RAM, a multiple of 2 MiB
	VCPUs   uint32 // 1 to vcpu.MaxVCPUs

	// Weight is the share of CPU time against other VMs, 100 if 0;
	// CapPercent limits each vCPU to that part of one CPU, 0 is no limit.
	Weight, CapPercent uint32

	// Kernel, Initrd, Cmdline and Protocol are what boot.Load takes. The
	// bytes are read again at every reset and must not change.
	Kernel, Initrd []byte
	Cmdline        string
	Protocol       string // "auto", "linux", "pvh" or "multiboot"; empty means auto

	// HideCPUID names CPUID features that the guest must not see.
	HideCPUID []string
	// CPU freezes what the guest sees of the processor, so that it can move to
	// hosts with another one, of the other vendor too. Nil shows the host's.
	CPU *cpuid.Baseline
	// DebugExit gives the guest the debug-exit port and its MMIO twin.
	DebugExit bool

	// OnStop is called on a goroutine of its own, with no lock held, each
	// time that the VM stops or crashes by itself or is paused by its
	// deadline; not after Stop.
	OnStop func(*VM, Reason)
}

// uuid makes an identity of a VM's name: a hash with the marks of a UUID of
// version 8 (RFC 9562, section 5.8).
func uuid(name string) (u [16]byte) {
	h := fnv.New128a()
	h.Write([]byte("ringo VM " + name))
	sum := h.Sum(nil)
	copy(u[:], sum)
	u[6] = u[6]&0x0F | 0x80
	u[8] = u[8]&0x3F | 0x80
	return u
}

func (c *Config) check() error {
	switch {
	case c.Name == "":
		return fmt.Errorf("%w: a VM needs a name", ErrConfig)
	case c.Machine != MachineRingo1:
		return fmt.Errorf("%w: VM %s asks for machine %q; this node knows %q", ErrConfig, c.Name, c.Machine, MachineRingo1)
	case c.VCPUs == 0 || c.VCPUs > vcpu.MaxVCPUs:
		return fmt.Errorf("%w: VM %s asks for %d vCPUs; 1 to %d are possible", ErrConfig, c.Name, c.VCPUs, vcpu.MaxVCPUs)
	case c.Memory == 0 || c.Memory%uint64(memory.Page2M) != 0:
		return fmt.Errorf("%w: VM %s asks for %d bytes of memory; it must be a multiple of 2 MiB", ErrConfig, c.Name, c.Memory)
	case len(c.Kernel) == 0:
		return fmt.Errorf("%w: VM %s has no kernel", ErrConfig, c.Name)
	}
	return nil
}
