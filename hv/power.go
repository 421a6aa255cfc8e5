package hv

import (
	"fmt"
	"runtime/debug"

	"ringo/boot"
	"ringo/boot/acpi"
	"ringo/boot/smbios"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// powerOn brings a new board to the kernel's first instruction.
func (b *board) powerOn() error {
	for _, d := range b.all {
		if err := d.Start(); err != nil {
			return fmt.Errorf("device %s: %w", d.Name(), err)
		}
	}
	return b.boot()
}

// reset brings a board at rest there again. RAM keeps what the loader does
// not overwrite, as it does on a PC.
func (b *board) reset() error {
	for _, d := range b.all {
		d.Reset()
		if err := d.Resume(); err != nil {
			return fmt.Errorf("device %s: %w", d.Name(), err)
		}
	}
	return b.boot()
}

// boot does firmware's part: it resets the vCPUs, writes the tables, loads the
// kernel and prepares the bootstrap processor for it.
func (b *board) boot() error {
	for _, c := range b.cpus {
		if err := c.reset(); err != nil {
			return fmt.Errorf("vCPU %d: %w", c.id, err)
		}
	}
	cfg := &b.vm.cfg
	if _, err := acpi.Install(b.space, b.layout, acpi.Config{VCPUs: int(cfg.VCPUs)}); err != nil {
		return fmt.Errorf("ACPI tables: %w", err)
	}
	id := smbios.Config{Name: cfg.Name, UUID: cfg.UUID, VCPUs: int(cfg.VCPUs), Version: cfg.Machine}
	if err := smbios.Install(b.space, b.layout, id); err != nil {
		return fmt.Errorf("SMBIOS structures: %w", err)
	}
	r := &boot.Request{Memory: b.space, Layout: b.layout, Kernel: boot.Bytes(cfg.Kernel), Cmdline: cfg.Cmdline}
	if len(cfg.Initrd) != 0 {
		r.Initrd = boot.Bytes(cfg.Initrd)
	}
	entry, err := boot.Protocol(cfg.Protocol).Load(r)
	if err != nil {
		return err
	}
	bsp := b.cpus[0]
	apic.VirtualWire(bsp.area)
	b.connect()
	b.setTSC(0)
	return bsp.begin(entry.State)
}

// begin gives the bootstrap processor the state that the loader prepared. What
// loaders do not speak of keeps its value after reset.
func (c *cpu) begin(s *x86.State) error {
	const groups = x86.GroupGPR | x86.GroupIP | x86.GroupCR | x86.GroupSeg | x86.GroupTable | x86.GroupInterrupt
	return c.v.Load(groups, s)
}

// connect gives the console to this board.
func (b *board) connect() { b.vm.console.connect(b.parts.com1) }

// powerButton presses the ACPI power button. It stays pressed for a guest that
// looks at it only later.
func (b *board) powerButton() { b.parts.pm.PressPowerButton() }

// timerPanicked ends the VM after a panic in a device's timer.
func (b *board) timerPanicked(p any) { b.panicked("a device timer", p, debug.Stack(), nil) }
