package node_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/hv"
)

func TestCrashStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 64*mib, "vms: [{name: a, memory: 8M, kernel: crash, on-crash: stop}]")
		n.Autostart()
		synctest.Wait()
		s := n.VMs()[0].Status()
		require.Equal(t, hv.StateStopped, s.State)
		require.Equal(t, hv.CauseShutdown, s.Reason.Cause)
		require.EqualValues(t, 1, s.Ends)
		require.True(t, s.RestartAt.IsZero())
		require.EqualValues(t, 64*mib, n.Memory().Free)
		log := strings.Join(logged(n), "\n")
		require.Contains(t, log, "error VM a: crashed: triple fault")
		require.Contains(t, log, "RIP 0000000000")
	})
}

func TestCrashKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 64*mib, "vms: [{name: a, memory: 8M, kernel: talk, on-crash: keep}]")
		v := n.VMs()[0]
		n.Autostart()
		synctest.Wait()
		v.Terminal().Type([]byte("C"))
		synctest.Wait()
		require.Equal(t, hv.StateCrashed, v.Status().State)
		require.NotNil(t, v.Status().Reason.Report)
		require.EqualValues(t, 56*mib, n.Memory().Free, "its memory is kept")

		require.NoError(t, v.Start(), "which serves a new start")
		synctest.Wait()
		require.Equal(t, "ready\r\nready\r\n", text(v))
		require.EqualValues(t, 56*mib, n.Memory().Free)
		v.Terminal().Type([]byte("C"))
		synctest.Wait()
		require.NoError(t, v.Stop())
		require.EqualValues(t, 64*mib, n.Memory().Free)
	})
}

func TestCrashRestartBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 64*mib, "vms: [{name: a, memory: 8M, kernel: crash, on-crash: restart}]")
		v := n.VMs()[0]
		n.Autostart()
		synctest.Wait()
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			s := v.Status()
			require.EqualValues(t, i+1, s.Starts)
			require.Equal(t, want*time.Second, time.Until(s.RestartAt).Round(time.Second))
			require.EqualValues(t, 64*mib, n.Memory().Free)
			time.Sleep(time.Until(s.RestartAt))
			synctest.Wait()
		}
		require.NoError(t, v.Stop(), "stop means that it is not started again")
		time.Sleep(2 * time.Minute)
		require.EqualValues(t, 9, v.Status().Starts)
		require.ErrorIs(t, v.Stop(), hv.ErrState)
	})
}

func TestBackOffForgetsAfterACalmTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 64*mib, "vms: [{name: a, memory: 8M, kernel: talk, on-crash: restart}]")
		v := n.VMs()[0]
		n.Autostart()
		crash := func() time.Duration {
			synctest.Wait()
			v.Terminal().Type([]byte("C"))
			synctest.Wait()
			at := v.Status().RestartAt
			d := time.Until(at)
			time.Sleep(d)
			return d.Round(time.Second)
		}
		require.Equal(t, time.Second, crash())
		require.Equal(t, 2*time.Second, crash())
		time.Sleep(2 * time.Minute)
		require.Equal(t, time.Second, crash())
	})
}

func TestRestartWaitsForMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 10*mib, `
vms:
  - {name: a, memory: 8M, kernel: talk, on-crash: restart}
  - {name: b, memory: 8M, kernel: talk, autostart: false}
`)
		a, b := n.VMs()[0], n.VMs()[1]
		n.Autostart()
		synctest.Wait()
		a.Terminal().Type([]byte("C"))
		synctest.Wait()
		require.NoError(t, b.Start())
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, a.Status().Starts)
		require.Contains(t, strings.Join(logged(n), "\n"), "VM a needs 8 MiB, the node has 2 MiB free of 10 MiB")
		require.NoError(t, b.Stop())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, hv.StateRunning, a.Status().State)
	})
}

func TestPowerOffRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 64*mib, "vms: [{name: a, memory: 8M, kernel: talk, on-poweroff: restart, debug-exit: true}]")
		v := n.VMs()[0]
		n.Autostart()
		synctest.Wait()
		v.Terminal().Type([]byte("Q"))
		synctest.Wait()
		require.False(t, v.Status().RestartAt.IsZero())
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, hv.StateRunning, v.Status().State)

		v.Terminal().Type([]byte("E"))
		synctest.Wait()
		require.Equal(t, hv.CauseDebugExit, v.Status().Reason.Cause)
		require.NoError(t, v.Shutdown(), "it is off; only the restart is called off")
		time.Sleep(time.Minute)
		require.Equal(t, hv.StateStopped, v.Status().State)

		require.NoError(t, v.Start())
		synctest.Wait()
		require.NoError(t, v.Shutdown())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, hv.StateStopped, v.Status().State, "an asked-for shutdown is no reason to start again")
	})
}

func TestGuestResetIsNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := load(t, 64*mib, one)
		v := n.VMs()[0]
		n.Autostart()
		synctest.Wait()
		v.Terminal().Type([]byte("R"))
		synctest.Wait()
		require.Equal(t, "ready\r\nready\r\n", text(v))
		require.Zero(t, v.Status().Ends)
	})
}
