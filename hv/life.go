package hv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringo/hv/vcpu"
)

// quit stops all that runs: every vCPU leaves the guest and its goroutine
// ends, then the devices come to rest.
func (b *board) quit() error {
	b.gate.set(modeQuit)
	b.kickAll()
	ctx, cancel := context.WithTimeout(context.Background(), restTimeout)
	defer cancel()
	if err := b.gate.atRest(ctx); err != nil {
		b.poison()
		b.stuck = true
		return err
	}
	b.clock.Pause()
	if b.poisoned.Load() {
		return nil
	}
	return b.pauseDevices(ctx)
}

// spawn starts the vCPU goroutines, which run or wait as m says.
func (b *board) spawn(m mode) {
	b.runs.Add(1)
	b.ended.Store(false)
	b.expired.Store(false)
	b.gate.open(m)
	if m == modeRun {
		b.clock.Resume()
	}
	for _, c := range b.cpus {
		b.gate.enter()
		go c.main()
	}
}

// pause brings vCPUs and devices to rest, or lets them run on.
func (b *board) pause(ctx context.Context) error {
	b.gate.set(modePause)
	b.kickAll()
	err := b.gate.atRest(ctx)
	b.stopTSC = b.vm.host.TSC()
	if err == nil && b.gate.quitting() {
		return fmt.Errorf("%w: it stopped by itself meanwhile", ErrState)
	}
	if err == nil {
		b.clock.Pause()
		if err = b.pauseDevices(ctx); err == nil {
			return nil
		}
		b.clock.Resume()
	}
	b.gate.set(modeRun)
	return err
}

// pauseDevices pauses all devices or none.
func (b *board) pauseDevices(ctx context.Context) error {
	for i, d := range b.all {
		if err := d.Pause(ctx); err != nil {
			for _, r := range b.all[:i] {
				err = errors.Join(err, r.Resume())
			}
			return fmt.Errorf("device %s: %w", d.Name(), err)
		}
	}
	return nil
}

// resume lets a paused board run on. The guest's TSC stood still, so that it
// agrees with the clock of the devices.
func (b *board) resume() error {
	if b.restored {
		b.loadPDPTEs()
		if err := b.activate(); err != nil {
			return err
		}
	}
	now := b.vm.host.TSC()
	for _, c := range b.cpus {
		c.area.SetGuestTSC(c.area.GuestTSC(b.stopTSC), now)
	}
	for _, d := range b.all {
		if err := d.Resume(); err != nil {
			return fmt.Errorf("device %s: %w", d.Name(), err)
		}
	}
	b.expired.Store(false)
	b.clock.Resume()
	b.gate.set(modeRun)
	return nil
}

// kickAll makes every vCPU come to the gate. Any goroutine may call it.
func (b *board) kickAll() {
	for _, c := range b.cpus {
		c.area.Request.Or(vcpu.RequestExit)
		c.v.Kick()
	}
}

// nmi sends an NMI to every vCPU.
func (b *board) nmi() {
	for _, c := range b.cpus {
		c.area.Request.Or(vcpu.RequestNMI)
		c.v.Kick()
	}
}

// runUntil sets the deadline that the backend checks at each entry.
func (b *board) runUntil(d time.Duration) {
	at := uint64(0)
	if d > 0 {
		at = b.vm.host.TSC() + max(1, uint64(d.Seconds()*float64(b.vm.host.TSCHz)))
	}
	b.backVM.Area().RunUntil.Store(at)
}

// end is the first word of anything that finds that the VM must stop. It may
// be called from a vCPU or a device in the middle of an access: it only says
// so, and a goroutine of its own does the rest.
func (b *board) end(r Reason) {
	if b.ended.Swap(true) {
		return
	}
	b.gate.set(modeQuit)
	b.kickAll()
	go b.vm.finish(b, b.runs.Load(), r)
}

// restart is end for a reset that the guest asks for.
func (b *board) restart() {
	if b.ended.Swap(true) {
		return
	}
	b.gate.set(modeQuit)
	b.kickAll()
	go b.vm.guestReset(b, b.runs.Load())
}

// expire is end for the run-until deadline: the VM is only paused.
func (b *board) expire() {
	if b.expired.Swap(true) {
		return
	}
	b.gate.set(modePause)
	b.kickAll()
	go b.vm.expire(b)
}

// poison marks the board as not to be used again.
func (b *board) poison() { b.poisoned.Store(true) }

// panicked ends the VM after a panic in something that acted for it.
func (b *board) panicked(who string, p any, stack []byte, c *cpu) {
	b.poison()
	r := Reason{Cause: CauseHost, Detail: fmt.Sprintf("%s failed: %v", who, p)}
	b.vm.host.Log("VM %s: %s\n%s", b.vm.cfg.Name, r, stack)
	if c != nil {
		r.Report = c.tryReport()
	}
	b.end(r)
}
