package devtest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/devices"
	"ringo/devices/devtest"
	"ringo/snapshot"
)

var _ devices.Device = (*devtest.Faulty)(nil)

func TestFaultyWorksUntilTold(t *testing.T) {
	f := devtest.NewFaulty()
	f.Write(0, []byte{1, 2})
	p := make([]byte, 2)
	f.Read(0, p)
	require.Equal(t, []byte{1, 2}, p)
	devtest.RoundTrip(t, f, devtest.NewFaulty())

	f.Plant(devtest.OpStart, devtest.Fault{After: 1})
	require.NoError(t, f.Start())
	require.ErrorIs(t, f.Start(), devtest.ErrInjected)
	require.Equal(t, 2, f.Calls(devtest.OpStart))

	f.Plant(devtest.OpRead, devtest.Fault{})
	require.Panics(t, func() { f.Read(0, p) })
	f.Plant(devtest.OpClose, devtest.Fault{Panic: true})
	require.Panics(t, func() { _ = f.Close() })
	f.Plant(devtest.OpSave, devtest.Fault{})
	require.ErrorIs(t, f.Save(snapshot.NewEncoder(f.Schema())), devtest.ErrInjected)

	f.Plant(devtest.OpPause, devtest.Fault{Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, f.Pause(ctx), context.Canceled)
}

// broken forgets half of its state.
type broken struct{ *devtest.Faulty }

func (b broken) Restore(s snapshot.Schema, d *snapshot.Decoder) error { return s.Require(b.Schema()) }

type failure struct{ failed bool }

func (f *failure) Helper() {}
func (f *failure) Fatalf(string, ...any) {
	f.failed = true
	panic(f)
}

func TestRoundTripFindsABrokenRestore(t *testing.T) {
	var got failure
	func() {
		defer func() { _ = recover() }()
		devtest.RoundTrip(&got, devtest.NewFaulty(), broken{devtest.NewFaulty()})
	}()
	require.True(t, got.failed)
}
