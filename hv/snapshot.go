package hv

import (
	"context"
	"errors"
	"fmt"
	"io"

	"ringo/devices"
	"ringo/snapshot"
)

// SaveOptions choose what Save writes.
type SaveOptions struct {
	// Memory writes guest RAM too. Migration sends it by itself.
	Memory bool
}

var (
	schemaVM     = snapshot.Schema{Name: "vm", Version: 2}
	schemaVM1    = snapshot.Schema{Name: "vm", Version: 1} // says nothing of the processor
	schemaMemory = snapshot.Schema{Name: "memory", Version: 1}
)

// Save writes the state of a paused VM to w as a snapshot stream. The VM stays
// paused and can be resumed.
func (vm *VM) Save(w io.Writer, o SaveOptions) error {
	return vm.operate("save", func() error {
		if err := vm.in("save", StatePaused); err != nil {
			return err
		}
		s, err := snapshot.NewWriter(w)
		if err == nil {
			err = vm.board.save(s, o)
		}
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			return fmt.Errorf("VM %s: save: %w", vm.cfg.Name, err)
		}
		return nil
	})
}

// Restore turns the VM on in the state that Save wrote, paused. The definition
// must be that of the saved VM. After an error the VM is off.
func (vm *VM) Restore(r io.Reader) error {
	return vm.operate("restore", func() error {
		if err := vm.in("restore", StateCreated, StateStopped, StateCrashed); err != nil {
			return err
		}
		b, err := vm.build()
		if err != nil {
			return err
		}
		if err := b.restore(r); err != nil {
			vm.release()
			return fmt.Errorf("VM %s: restore: %w", vm.cfg.Name, err)
		}
		vm.become(StatePaused, Reason{}, b)
		b.spawn(modePause)
		return nil
	})
}

// save writes the machine's header, the vCPUs, the devices, and memory. The
// header and the vCPUs are first because devices take time from them.
func (b *board) save(w *snapshot.Writer, o SaveOptions) error {
	for _, part := range b.parties() {
		if err := w.Save(part.name, part.s); err != nil {
			return err
		}
	}
	if o.Memory {
		return b.saveMemory(w)
	}
	return nil
}

// restore reads a stream into a new board.
func (b *board) restore(r io.Reader) error {
	s, err := snapshot.NewReader(r)
	if err != nil {
		return err
	}
	for _, d := range b.all {
		if err := d.Start(); err != nil {
			return fmt.Errorf("device %s: %w", d.Name(), err)
		}
	}
	for _, c := range b.cpus {
		if err := c.reset(); err != nil {
			return err
		}
	}
	b.stopTSC = b.vm.host.TSC()
	for _, part := range b.parties() {
		sec, err := s.Next()
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%w: it ends before the state of %s", snapshot.ErrCorrupt, part.name)
		case err != nil:
			return err
		case sec.Instance != part.name:
			return fmt.Errorf("%w: the state of %s was expected, found %q: is it a snapshot of a VM with another definition?",
				snapshot.ErrCorrupt, part.name, sec.Instance)
		}
		if err := sec.Restore(part.s); err != nil {
			return err
		}
	}
	b.restored = true
	b.connect()
	return b.restoreMemory(s)
}

// party is one part of a snapshot, in the order in which save writes them.
type party struct {
	name string
	s    snapshot.Snapshotter
}

func (b *board) parties() []party {
	all := []party{{b.vm.cfg.Machine, (*machineState)(b)}}
	for _, c := range b.cpus {
		all = append(all, party{c.name(), (*cpuState)(c)})
	}
	for _, d := range b.all {
		all = append(all, party{d.Name(), d})
	}
	return all
}

// activate makes the devices of a restored board own what is behind them.
func (b *board) activate() error {
	ctx, cancel := context.WithTimeout(context.Background(), restTimeout)
	defer cancel()
	var done []devices.Device
	for _, d := range b.all {
		if err := d.Activate(ctx); err != nil {
			for _, u := range done {
				err = errors.Join(err, u.Deactivate(ctx))
			}
			return fmt.Errorf("device %s: %w", d.Name(), err)
		}
		done = append(done, d)
	}
	b.restored = false
	return nil
}
