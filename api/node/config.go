package node

import (
	"ringo/api/bundle"
	"ringo/hv"
)

// config is the definition that hv takes, made of that of the bundle.
func config(b *bundle.Bundle, d *bundle.VM) (hv.Config, error) {
	c := hv.Config{
		Name: d.Name, Machine: d.Machine, Memory: d.Memory, VCPUs: uint32(d.VCPUs),
		Weight: uint32(d.CPUWeight), CapPercent: perVCPU(d.CPUCap, d.VCPUs),
		Cmdline: d.Cmdline, Protocol: string(d.BootProtocol),
		HideCPUID: d.CPUID.Hide, DebugExit: d.DebugExit,
	}
	var err error
	if c.Kernel, err = file(b, d, "kernel", d.Kernel); err != nil {
		return c, err
	}
	if d.Initrd != "" {
		c.Initrd, err = file(b, d, "initrd", d.Initrd)
	}
	return c, err
}

// file gives the content of the file that a key names.
func file(b *bundle.Bundle, d *bundle.VM, key, name string) ([]byte, error) {
	data, ok := b.File(name)
	if !ok {
		return nil, d.Problem(key, bundle.ErrNoFile, "%q", name)
	}
	return data, nil
}

// perVCPU divides a VM's cap, in percent of one CPU, among its vCPUs. It
// rounds up, so that no cap becomes 0, which means that there is none.
func perVCPU(percent, vcpus int) uint32 {
	if percent == 0 || percent >= 100*vcpus {
		return 0
	}
	return uint32((percent + vcpus - 1) / vcpus)
}
