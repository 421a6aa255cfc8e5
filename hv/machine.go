package hv

import (
	"errors"
	"fmt"

	"ringo/boot/layout"
	"ringo/devices"
	"ringo/hv/vcpu"
	"ringo/memory"
)

// newBoard builds a machine: memory, vCPUs and devices, all in their state
// before power-on. On an error nothing is left behind.
func newBoard(vm *VM) (b *board, err error) {
	b = &board{vm: vm, gate: newGate(), pio: devices.NewPortBus(), mmio: devices.NewMMIOBus(), parts: &parts{}}
	b.waker, b.tscHz = b.wake, vm.host.TSCHz
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, b.close())
		}
	}()
	b.clock = vm.host.newClock(b.timerPanicked)
	if b.policy, err = newPolicy(vm.host, &vm.cfg); err != nil {
		return nil, err
	}
	b.efer, b.cr4 = b.validEFER(), b.validCR4()
	if err = b.addMemory(); err != nil {
		return nil, err
	}
	if err = b.addCPUs(); err != nil {
		return nil, err
	}
	if err = b.addDevices(); err != nil {
		return nil, err
	}
	done = true
	return b, nil
}

// addMemory lays out the RAM. Frames come as they are touched.
func (b *board) addMemory() (err error) {
	host := b.vm.host
	if b.layout, err = layout.New(b.vm.cfg.Memory); err != nil {
		return err
	}
	if b.stage2, err = host.Backend.NewStage2(host.Frames); err != nil {
		return fmt.Errorf("stage-2 tables: %w", err)
	}
	b.space, err = memory.NewSpace(host.Frames, b.stage2, b.layout.Slots(), 0)
	return err
}

// addCPUs makes the vCPUs with their local APICs.
func (b *board) addCPUs() (err error) {
	if b.backVM, err = b.vm.host.Backend.NewVM(b.stage2); err != nil {
		return fmt.Errorf("backend: %w", err)
	}
	b.backVM.Area().TSCPerSec = b.vm.host.TSCHz
	if err := b.actForeign(); err != nil {
		return err
	}
	for id := range b.vm.cfg.VCPUs {
		c, err := newCPU(b, id)
		if err != nil {
			return err
		}
		b.cpus = append(b.cpus, c)
		if err := c.fillCPUID(); err != nil {
			return err
		}
		b.all = append(b.all, c.lapic)
	}
	return nil
}

// actForeign prepares the backend for a guest that expects the other vendor's
// processor.
func (b *board) actForeign() error {
	if !b.policy.Foreign() {
		return nil
	}
	f, ok := b.backVM.(vcpu.Foreign)
	if !ok {
		return fmt.Errorf("%w: VM %s shows another vendor's processor, which the backend %s cannot carry",
			ErrConfig, b.vm.cfg.Name, b.vm.host.Backend.Name())
	}
	f.ActForeign()
	return nil
}

// wake makes a vCPU look at its APIC page again. Device models and the APIC's
// own code call it from any goroutine.
func (b *board) wake(a *vcpu.Area) { b.cpus[a.ID].v.Kick() }
