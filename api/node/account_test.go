package node

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/api/bundle"
	"ringo/hv"
)

// fakeMachine is an hv.VM that a test makes fail.
type fakeMachine struct {
	state  hv.State
	reason hv.Reason
	err    error    // what the next operation gives,
	then   hv.State // and the state that it leaves
	starts int
}

func (m *fakeMachine) do(s hv.State) error {
	if m.err != nil {
		m.state = m.then
		return m.err
	}
	m.state = s
	return nil
}

func (m *fakeMachine) State() hv.State             { return m.state }
func (m *fakeMachine) Reason() hv.Reason           { return m.reason }
func (m *fakeMachine) Uptime() time.Duration       { return 0 }
func (m *fakeMachine) Stats() hv.Stats             { return hv.Stats{} }
func (m *fakeMachine) CPUStats() []hv.Stats        { return nil }
func (m *fakeMachine) Start() error                { m.starts++; return m.do(hv.StateRunning) }
func (m *fakeMachine) Stop() error                 { return m.do(hv.StateStopped) }
func (m *fakeMachine) Reset() error                { return m.do(hv.StateRunning) }
func (m *fakeMachine) Pause(context.Context) error { return m.do(hv.StatePaused) }
func (m *fakeMachine) Resume() error               { return m.do(hv.StateRunning) }
func (m *fakeMachine) NMI() error                  { return m.do(m.state) }
func (m *fakeMachine) PowerButton() error          { return m.do(m.state) }
func (m *fakeMachine) Close() error                { return m.do(hv.StateStopped) }

// newFake makes a node of 100 bytes with a VM of 60.
func newFake(t *testing.T, crash bundle.CrashPolicy) (*VM, *fakeMachine) {
	n, err := New(Host{Memory: 100, PowerOff: func() {}})
	require.NoError(t, err)
	m := &fakeMachine{}
	v := &VM{
		node: n, def: &bundle.VM{Name: "a", Memory: 60, OnCrash: crash}, machine: m,
		terminal: newTerminal(&slowPort{}, 10), over: true,
	}
	n.vms = []*VM{v}
	t.Cleanup(func() { v.cancelRestart() })
	return v, m
}

func TestMemoryOfAPoisonedVMIsLost(t *testing.T) {
	v, m := newFake(t, bundle.CrashStop)
	require.NoError(t, v.Start())
	m.err, m.then = fmt.Errorf("stop: %w", hv.ErrPoisoned), hv.StateStopped
	require.ErrorIs(t, v.Stop(), hv.ErrPoisoned)
	require.Equal(t, Memory{Total: 100, Free: 40, Lost: 60}, v.node.Memory())
	m.err = nil
	require.ErrorIs(t, v.Start(), ErrMemory)
}

func TestAFailedStartGivesTheMemoryBack(t *testing.T) {
	v, m := newFake(t, bundle.CrashStop)
	m.err = hv.ErrConfig
	require.ErrorIs(t, v.Start(), hv.ErrConfig)
	require.EqualValues(t, 100, v.node.Memory().Free)
	require.Zero(t, v.Status().Starts)
}

func TestACrashInsideAnOperationCountsOnce(t *testing.T) {
	v, m := newFake(t, bundle.CrashRestart)
	require.NoError(t, v.Start())
	m.err, m.then = hv.ErrPoisoned, hv.StateCrashed
	m.reason = hv.Reason{Cause: hv.CauseHost, Detail: "reset failed"}
	require.ErrorIs(t, v.Reset(), hv.ErrPoisoned)
	require.EqualValues(t, 1, v.Status().Ends)
	require.False(t, v.Status().RestartAt.IsZero(), "on-crash applies to it too")
	v.ended(m.reason)
	require.EqualValues(t, 1, v.Status().Ends, "the same end told again is nothing new")
}

func TestAnEndThatIsToldTooLate(t *testing.T) {
	v, m := newFake(t, bundle.CrashRestart)
	require.NoError(t, v.Start())
	m.state = hv.StateStopped
	require.NoError(t, v.Start(), "before the node was told of the power-off")
	v.ended(hv.Reason{Cause: hv.CausePowerOff})
	require.Equal(t, hv.StateRunning, v.Status().State)
	require.Zero(t, v.Status().Ends)
	require.EqualValues(t, 40, v.node.Memory().Free)
}

func TestDeadlineIsNoEnd(t *testing.T) {
	v, m := newFake(t, bundle.CrashStop)
	require.NoError(t, v.Start())
	m.state = hv.StatePaused
	v.ended(hv.Reason{Cause: hv.CauseDeadline})
	require.Zero(t, v.Status().Ends)
	require.Equal(t, "VM a: paused: run-until deadline passed", v.node.log.Since(0)[0].Text)
}
