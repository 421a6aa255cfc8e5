package devtest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ringo/devices"
	"ringo/snapshot"
)

// Op is something that a Faulty can be told to fail at.
type Op string

const (
	OpStart      Op = "start"
	OpPause      Op = "pause"
	OpResume     Op = "resume"
	OpReset      Op = "reset"
	OpActivate   Op = "activate"
	OpDeactivate Op = "deactivate"
	OpClose      Op = "close"
	OpSave       Op = "save"
	OpRestore    Op = "restore"
	OpRead       Op = "read"
	OpWrite      Op = "write"
)

// ErrInjected is what an injected failure returns, wrapped.
var ErrInjected = errors.New("injected failure")

// Fault says how an operation fails.
type Fault struct {
	After int  // let that many calls pass first
	Panic bool // panic, rather than return an error; accesses always do
	Hang  bool // Pause, Activate and Deactivate wait for their context's end
}

// Faulty is a device, and the Handler of a region, that works until a fault is
// planted. Its state is the last value that was written to it.
type Faulty struct {
	mu     sync.Mutex
	faults map[Op]Fault
	calls  map[Op]int
	value  uint64
}

// NewFaulty makes a device without faults.
func NewFaulty() *Faulty {
	return &Faulty{faults: map[Op]Fault{}, calls: map[Op]int{}}
}

// Plant makes op fail from now on.
func (f *Faulty) Plant(op Op, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault.After += f.calls[op]
	f.faults[op] = fault
}

// Calls is how often op was called.
func (f *Faulty) Calls(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// enter counts a call and fails it if so planted.
func (f *Faulty) enter(ctx context.Context, op Op) error {
	f.mu.Lock()
	f.calls[op]++
	fault, planted := f.faults[op]
	due := planted && f.calls[op] > fault.After
	f.mu.Unlock()
	switch {
	case !due:
		return nil
	case fault.Panic || op == OpRead || op == OpWrite || op == OpReset:
		panic(fmt.Sprintf("devtest: injected panic in %s", op))
	case fault.Hang && ctx.Done() != nil:
		<-ctx.Done()
		return fmt.Errorf("devtest: %s: %w", op, ctx.Err())
	}
	return fmt.Errorf("devtest: %s: %w", op, ErrInjected)
}

// Name is "faulty".
func (f *Faulty) Name() string { return "faulty" }

func (f *Faulty) Start() error                         { return f.enter(context.Background(), OpStart) }
func (f *Faulty) Pause(ctx context.Context) error      { return f.enter(ctx, OpPause) }
func (f *Faulty) Resume() error                        { return f.enter(context.Background(), OpResume) }
func (f *Faulty) Activate(ctx context.Context) error   { return f.enter(ctx, OpActivate) }
func (f *Faulty) Deactivate(ctx context.Context) error { return f.enter(ctx, OpDeactivate) }
func (f *Faulty) Close() error                         { return f.enter(context.Background(), OpClose) }

// Reset clears the value; a fault planted there panics.
func (f *Faulty) Reset() {
	_ = f.enter(context.Background(), OpReset) // it returns no error: it panics
	f.set(0)
}

// Read gives the value.
func (f *Faulty) Read(_ uint64, p []byte) {
	_ = f.enter(context.Background(), OpRead)
	f.mu.Lock()
	defer f.mu.Unlock()
	devices.PutValue(p, f.value)
}

// Write sets the value.
func (f *Faulty) Write(_ uint64, p []byte) {
	_ = f.enter(context.Background(), OpWrite)
	f.set(devices.Value(p))
}

func (f *Faulty) set(v uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.value = v
}

var faultySchema = snapshot.Schema{Name: "faulty", Version: 1}

// Schema names the saved state.
func (f *Faulty) Schema() snapshot.Schema { return faultySchema }

// Save writes the value.
func (f *Faulty) Save(e *snapshot.Encoder) error {
	if err := f.enter(context.Background(), OpSave); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e.Uint64("value", f.value)
	return e.Err()
}

// Restore takes the value back.
func (f *Faulty) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := f.enter(context.Background(), OpRestore); err != nil {
		return err
	}
	if err := from.Require(faultySchema); err != nil {
		return err
	}
	v := d.Uint64("value")
	if err := d.Done(); err != nil {
		return err
	}
	f.set(v)
	return nil
}
