package node_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/api/bundle"
	"ringo/api/node"
	"ringo/api/node/nodetest"
	"ringo/hv"
)

const mib = 1 << 20

// text is all that a VM has printed.
func text(v *node.VM) string {
	p := make([]byte, 1<<16)
	n, _ := v.Terminal().Read(p, 0)
	return string(p[:n])
}

// logged is the text of the log, a line for each entry.
func logged(n *node.Node) (lines []string) {
	for _, e := range n.Log().Since(0) {
		lines = append(lines, e.Level.String()+" "+e.Text)
	}
	return lines
}

// states are the states of all VMs in their order.
func states(n *node.Node) (list []hv.State) {
	for _, v := range n.VMs() {
		list = append(list, v.Status().State)
	}
	return list
}

// load makes a node that runs all VMs of a ringo.yaml.
func load(t *testing.T, ram uint64, config string) (*nodetest.Machine, *node.Node) {
	t.Helper()
	m := nodetest.NewMachine(t, ram)
	n, err := m.NewNode(t, config)
	require.NoError(t, err)
	return m, n
}

const one = `
vms:
  - {name: demo, memory: 8M, kernel: talk, debug-exit: true}
`

func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 64*mib, one)
		v, err := n.VM("demo")
		require.NoError(t, err)
		require.Equal(t, hv.StateCreated, v.Status().State)

		require.NoError(t, v.Start())
		synctest.Wait()
		require.Equal(t, "ready\r\n", text(v))
		require.EqualValues(t, 56*mib, n.Memory().Free)
		require.ErrorIs(t, v.Start(), hv.ErrState)
		require.EqualValues(t, 56*mib, n.Memory().Free, "a refused start changes nothing")

		require.NoError(t, v.Pause(t.Context()))
		v.Terminal().Type([]byte("abc"))
		synctest.Wait()
		require.Equal(t, "ready\r\n", text(v))
		require.NoError(t, v.Resume())
		synctest.Wait()
		require.Equal(t, "ready\r\nabc", text(v))

		require.NoError(t, v.Reset())
		synctest.Wait()
		require.Equal(t, "ready\r\nabcready\r\n", text(v))

		require.NoError(t, v.Stop())
		synctest.Wait()
		s := v.Status()
		require.Equal(t, hv.StateStopped, s.State)
		require.Equal(t, hv.CauseStop, s.Reason.Cause)
		require.EqualValues(t, 1, s.Ends)
		require.EqualValues(t, 64*mib, n.Memory().Free)
		require.ErrorIs(t, v.Stop(), hv.ErrState)
	})
}

func TestShutdownByPowerButton(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 64*mib, one)
		v := n.VMs()[0]
		require.NoError(t, v.Start())
		synctest.Wait()
		require.NoError(t, v.Shutdown())
		synctest.Wait()
		require.Equal(t, "ready\r\npower button\r\n", text(v))
		require.Equal(t, hv.CausePowerOff, v.Status().Reason.Cause)
		require.EqualValues(t, 64*mib, n.Memory().Free)
		require.Contains(t, logged(n), "info VM demo: powered off")
	})
}

func TestAutostartOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 64*mib, `
vms:
  - {name: last, memory: 8M, kernel: talk, start-order: 30}
  - {name: never, memory: 8M, kernel: talk, autostart: false}
  - {name: bad, memory: 8M, kernel: broken, start-order: 5}
  - {name: second, memory: 8M, kernel: talk, start-order: 20, start-delay: 5s}
  - {name: first, memory: 8M, kernel: talk, start-order: 10}
`)
		require.Equal(t, "bad", n.First().Name())
		go n.Autostart()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		require.Equal(t, []hv.State{hv.StateCreated, hv.StateCreated, hv.StateCreated, hv.StateCreated, hv.StateRunning}, states(n))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []hv.State{hv.StateRunning, hv.StateCreated, hv.StateCreated, hv.StateRunning, hv.StateRunning}, states(n))
		require.Len(t, logged(n), 1, "only the one that cannot start: %v", logged(n))
		require.Contains(t, logged(n)[0], "error VM bad: ")
		require.EqualValues(t, 40*mib, n.Memory().Free)
	})
}

func TestNotEnoughMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 20*mib, `
vms:
  - {name: a, memory: 8M, kernel: talk}
  - name: b
    memory: 16M
    kernel: talk
`)
		a, b := n.VMs()[0], n.VMs()[1]
		require.NoError(t, a.Start())
		err := b.Start()
		require.ErrorIs(t, err, node.ErrMemory)
		require.EqualError(t, err,
			"ringo.yaml:5: vms[1].memory: not enough memory: VM b needs 16 MiB, the node has 12 MiB free of 20 MiB")
		require.Equal(t, hv.StateCreated, b.Status().State)
		require.NoError(t, a.Stop())
		require.NoError(t, b.Start())
	})
}

func TestLoadLeavesOutWhatCannotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := nodetest.NewMachine(t, 64*mib)
		n, err := m.NewNode(t, `
node: {name: rack7, loglevel: error}
vms:
  - {name: good, memory: 8M, kernel: talk}
  - {name: bad, memory: 8M, kernel: talk, cpuid: {hide: [warp-drive]}}
`)
		require.ErrorIs(t, err, bundle.ErrValue)
		require.ErrorContains(t, err, "ringo.yaml:5: vms[1]: ")
		require.ErrorContains(t, err, "warp-drive")
		require.Equal(t, "rack7", n.Settings().Name)
		require.Len(t, n.VMs(), 1)
		n.Log().Warnf("not important enough")
		require.Empty(t, logged(n))

		_, err = n.VM("bad")
		require.ErrorIs(t, err, node.ErrNoVM)
		require.EqualError(t, err, `no such VM: "bad"; there are: good`)
	})
}

func TestHostWithoutPowerOff(t *testing.T) {
	_, err := node.New(node.Host{})
	require.ErrorIs(t, err, node.ErrHost)
}

func TestPowerOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, n := load(t, 64*mib, `
vms:
  - {name: nice, memory: 8M, kernel: talk, on-poweroff: restart}
  - {name: resting, memory: 8M, kernel: talk}
  - {name: deaf, memory: 8M, kernel: deaf}
  - {name: wreck, memory: 8M, kernel: crash, on-crash: keep}
  - {name: off, memory: 8M, kernel: talk, autostart: false}
  - {name: late, memory: 8M, kernel: talk, start-order: 200, start-delay: 1h}
`)
		go n.Autostart()
		synctest.Wait()
		require.NoError(t, n.VMs()[1].Pause(t.Context()))
		require.Equal(t, []hv.State{
			hv.StateRunning, hv.StatePaused, hv.StateRunning, hv.StateCrashed, hv.StateCreated, hv.StateCreated,
		}, states(n))
		begin := time.Now()
		require.ErrorIs(t, n.PowerOff(t.Context()), node.ErrStillOn)
		require.Equal(t, node.ShutdownTimeout+nodetest.PowerOffTime, time.Since(begin), "deaf is given its time")
		require.EqualValues(t, 1, m.PowerOffs.Load())
		require.EqualValues(t, 64*mib, n.Memory().Free)
		for i, want := range []hv.Cause{hv.CausePowerOff, hv.CausePowerOff} {
			require.Equal(t, want, n.VMs()[i].Status().Reason.Cause)
		}
		require.Contains(t, logged(n), "warn turned off, since they did not shut down in 1m0s: deaf")
		require.ErrorIs(t, n.VMs()[0].Start(), node.ErrClosing)
	})
}

func TestPowerOffIsQuickAndCanBeGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, n := load(t, 64*mib, `
vms:
  - {name: nice, memory: 8M, kernel: talk}
  - {name: deaf, memory: 8M, kernel: deaf}
`)
		n.Autostart()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, n.PowerOff(ctx), context.DeadlineExceeded)
		require.Zero(t, m.PowerOffs.Load())
		require.Equal(t, []hv.State{hv.StateStopped, hv.StateRunning}, states(n))

		require.NoError(t, n.VMs()[0].Start(), "the node stays up")
		require.NoError(t, n.VMs()[1].Stop())
		synctest.Wait()
		begin := time.Now()
		require.ErrorIs(t, n.PowerOff(t.Context()), node.ErrStillOn)
		require.Equal(t, nodetest.PowerOffTime, time.Since(begin))
	})
}
