package trace

import (
	"context"
	"fmt"
	"os"
)

// Recording says what to record of a running emulator.
type Recording struct {
	Monitor string               // socket of -qmp
	Log     string               // file of -D
	Ready   func() (bool, error) // whether the guest has come to what is to be measured
	Bytes   int64                // how long the log must be
}

// Record waits until the guest is ready, logs as much as is asked for, and ends
// the emulator.
func (r Recording) Record(ctx context.Context) error {
	m, err := Dial(ctx, r.Monitor)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := until(ctx, r.Ready); err != nil {
		return fmt.Errorf("waiting for the guest: %w", err)
	}
	if err := m.LogOn(); err != nil {
		return err
	}
	if err := until(ctx, r.full); err != nil {
		return fmt.Errorf("waiting for %d bytes of log: %w", r.Bytes, err)
	}
	if err := m.LogOff(); err != nil {
		return err
	}
	return m.Quit()
}

func (r Recording) full() (bool, error) {
	info, err := os.Stat(r.Log)
	if os.IsNotExist(err) {
		return false, nil
	}
	return err == nil && info.Size() >= r.Bytes, err
}

// until waits for a condition.
func until(ctx context.Context, condition func() (bool, error)) error {
	for {
		ok, err := condition()
		if ok || err != nil {
			return err
		}
		if err := wait(ctx, retry); err != nil {
			return err
		}
	}
}
