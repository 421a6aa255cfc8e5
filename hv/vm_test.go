package hv

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/boot/layout"
	"ringo/hv/cpuid"
	"ringo/hv/vcpu"
	"ringo/x86"
	"ringo/x86/asm"
)

func TestHello(t *testing.T) {
	v, r := run(t, func(a *asm.Asm) {
		print(a, "hello")
		exit(a, 42)
	})
	require.Equal(t, CauseDebugExit, r.Cause, "%v %v", r, r.Report)
	require.EqualValues(t, 42, r.Code)
	require.Equal(t, "hello", v.printed())
	require.Equal(t, StateStopped, v.State())
	require.Equal(t, "debug exit with code 42", v.Reason().String())
	require.Zero(t, v.Uptime())
}

// forever counts in memory and never exits.
func forever(a *asm.Asm) {
	a.Label("count")
	a.Inc(asm.Abs(0x200000).Dword())
	a.Jmp("count")
}

// ticks prints a dot again and again.
func ticks(a *asm.Asm) {
	a.Label("tick")
	print(a, ".")
	a.Jmp("tick")
}

func TestNewRefuses(t *testing.T) {
	h := newTestHost(t)
	good := Config{Name: "vm", Memory: 4 << 20, VCPUs: 1, Kernel: []byte{1}}
	for name, change := range map[string]func(*Config){
		"no name":       func(c *Config) { c.Name = "" },
		"machine":       func(c *Config) { c.Machine = "ringo-99" },
		"no vCPU":       func(c *Config) { c.VCPUs = 0 },
		"many vCPUs":    func(c *Config) { c.VCPUs = vcpu.MaxVCPUs + 1 },
		"odd memory":    func(c *Config) { c.Memory++ },
		"no memory":     func(c *Config) { c.Memory = 0 },
		"no kernel":     func(c *Config) { c.Kernel = nil },
		"unknown cpuid": func(c *Config) { c.HideCPUID = []string{"warp-drive"} },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			change(&c)
			_, err := New(&h.Host, c)
			require.ErrorIs(t, err, ErrConfig)
		})
	}
	_, err := New(&Host{}, good)
	require.ErrorIs(t, err, ErrConfig)
	vm, err := New(&h.Host, good)
	require.NoError(t, err)
	require.Equal(t, MachineRingo1, vm.Config().Machine)
	require.EqualValues(t, 100, vm.Config().Weight)
	require.Equal(t, uuid("vm"), vm.Config().UUID)
	require.NotEqual(t, uuid("vm"), uuid("vm2"))
}

func TestBadKernelLeavesNothing(t *testing.T) {
	v := newTestVM(t, func(c *Config) { c.Kernel = []byte("no kernel at all") }, forever)
	require.Error(t, v.Start())
	require.Equal(t, StateCreated, v.State())
	v.close(t)
}

func TestStates(t *testing.T) {
	v := newTestVM(t, nil, forever)
	ctx := context.Background()
	for name, op := range map[string]func() error{
		"stop": v.Stop, "resume": v.Resume, "reset": v.Reset, "nmi": v.NMI, "button": v.PowerButton,
		"pause": func() error { return v.Pause(ctx) }, "limit": func() error { return v.RunUntil(time.Second) },
	} {
		require.ErrorIs(t, op(), ErrState, name)
	}
	require.Equal(t, StateCreated, v.State())
	require.NoError(t, v.Start())
	require.ErrorIs(t, v.Start(), ErrState)
	require.ErrorIs(t, v.Resume(), ErrState)
	require.NoError(t, v.Pause(ctx))
	require.Equal(t, StatePaused, v.State())
	require.ErrorIs(t, v.Pause(ctx), ErrState)
	require.NoError(t, v.Resume())
	require.Positive(t, v.Uptime())
	require.NoError(t, v.Stop())
	require.Equal(t, StateStopped, v.State())
	require.Equal(t, CauseStop, v.Reason().Cause)
	require.NoError(t, v.Start(), "a stopped VM can be started again")
	v.close(t)
	require.Empty(t, v.stopped, "OnStop is for VMs that stop by themselves")
}

func TestPauseStopsTheGuest(t *testing.T) {
	v := newTestVM(t, nil, ticks)
	require.NoError(t, v.Start())
	require.Eventually(t, func() bool { return len(v.printed()) > 10 }, 5*time.Second, time.Millisecond)
	require.NoError(t, v.Pause(context.Background()))
	before, tsc := len(v.printed()), v.board.clock.Now()
	time.Sleep(20 * time.Millisecond)
	require.Len(t, v.printed(), before, "the guest printed while paused")
	require.Equal(t, tsc, v.board.clock.Now(), "the devices' clock went on")
	require.NoError(t, v.Resume())
	require.Eventually(t, func() bool { return len(v.printed()) > before }, 5*time.Second, time.Millisecond)
	v.close(t)
}

// TestPauseHoldsTSC: the guest's TSC stands still while the VM is paused.
func TestPauseHoldsTSC(t *testing.T) {
	v := newTestVM(t, nil, forever)
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	c := v.board.cpus[0]
	stopped := v.board.stopTSC + c.area.TSCOffset
	time.Sleep(30 * time.Millisecond)
	require.NoError(t, v.Resume())
	require.NoError(t, v.Pause(context.Background()))
	ran := v.board.stopTSC + c.area.TSCOffset - stopped
	require.Less(t, ran, uint64(25*time.Millisecond), "ticks of 1 ns that the guest saw during 30 ms of pause")
	v.close(t)
}

func TestPauseTimesOut(t *testing.T) {
	v := newTestVM(t, nil, ticks)
	hold, inside := make(chan struct{}), make(chan struct{}, 1)
	v.Console().SetOutput(func([]byte) {
		select {
		case inside <- struct{}{}:
		default:
		}
		<-hold
	})
	require.NoError(t, v.Start())
	<-inside
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, v.Pause(ctx), ErrTimeout)
	require.Equal(t, StateRunning, v.State())
	close(hold)
	require.NoError(t, v.Pause(context.Background()))
	v.close(t)
}

func TestReset(t *testing.T) {
	v := newTestVM(t, nil, func(a *asm.Asm) {
		print(a, "A")
		forever(a)
	})
	require.NoError(t, v.Start())
	require.Eventually(t, func() bool { return v.printed() == "A" }, 5*time.Second, time.Millisecond)
	require.NoError(t, v.Reset())
	require.Eventually(t, func() bool { return v.printed() == "AA" }, 5*time.Second, time.Millisecond)
	require.NoError(t, v.Pause(context.Background()))
	require.NoError(t, v.Reset(), "a paused VM is reset and stays paused")
	require.Equal(t, StatePaused, v.State())
	time.Sleep(10 * time.Millisecond)
	require.Equal(t, "AA", v.printed())
	require.NoError(t, v.Resume())
	require.Eventually(t, func() bool { return v.printed() == "AAA" }, 5*time.Second, time.Millisecond)
	v.close(t)
}

// TestGuestReset: the guest resets itself by each of the ways that there are.
func TestGuestReset(t *testing.T) {
	for name, reset := range map[string]func(*asm.Asm){
		"acpi": func(a *asm.Asm) {
			a.Mov(asm.DX, asm.Imm(layout.ResetPort))
			a.Mov(asm.AL, asm.Imm(layout.ResetValue))
			a.Out(asm.DX, asm.AL)
		},
		"keyboard": func(a *asm.Asm) {
			a.Mov(asm.AL, asm.Imm(0xFE))
			a.Out(asm.Imm(keyboardCommandPort), asm.AL)
		},
		"port 92": func(a *asm.Asm) {
			a.Mov(asm.AL, asm.Imm(1))
			a.Out(asm.Imm(systemControlAPort), asm.AL)
		},
		"init": func(a *asm.Asm) { // INIT to itself
			a.Mov(asm.Abs(0xFEE000F0).Dword(), asm.Imm(0x1FF))
			a.Mov(asm.Abs(0xFEE00300).Dword(), asm.Imm(0x4500))
		},
	} {
		t.Run(name, func(t *testing.T) {
			// The second time around, memory tells that there was a first.
			v, r := run(t, func(a *asm.Asm) {
				a.Cmp(asm.Abs(0x300000).Dword(), asm.Imm(0x600D))
				a.Jcc(asm.E, "again")
				a.Mov(asm.Abs(0x300000).Dword(), asm.Imm(0x600D))
				reset(a)
				forever(a)
				a.Label("again")
				exit(a, 7)
			})
			require.Equal(t, CauseDebugExit, r.Cause, "%v", r)
			require.True(t, v.host.logged("asked for a reset"))
		})
	}
}

func TestPowerOff(t *testing.T) {
	v, r := run(t, func(a *asm.Asm) {
		a.Mov(asm.DX, asm.Imm(layout.PM1CntPort))
		a.Mov(asm.AX, asm.Imm(layout.S5SleepType<<10|1<<13))
		a.Out(asm.DX, asm.AX)
		forever(a)
	})
	require.Equal(t, CausePowerOff, r.Cause)
	require.Equal(t, StateStopped, v.State())
	require.Nil(t, r.Report)
}

func TestPowerButton(t *testing.T) {
	v := newTestVM(t, nil, func(a *asm.Asm) {
		a.Mov(asm.DX, asm.Imm(layout.PM1EventPort))
		a.Label("wait")
		a.In(asm.AX, asm.DX)
		a.Test(asm.AX, asm.Imm(1<<8))
		a.Jcc(asm.E, "wait")
		exit(a, 9)
	})
	require.NoError(t, v.Start())
	require.NoError(t, v.PowerButton())
	require.EqualValues(t, 9, v.wait(t).Code)
	v.close(t)
}

func TestTripleFault(t *testing.T) {
	v, r := run(t, func(a *asm.Asm) {
		a.Mov(asm.EBX, asm.Imm(0x12345678))
		a.Lidt(asm.At("none"))
		a.Ud2()
		a.Label("none")
		a.Data32(0, 0)
	})
	require.Equal(t, CauseShutdown, r.Cause)
	require.Equal(t, StateCrashed, v.State())
	require.NotNil(t, r.Report)
	require.EqualValues(t, 0x12345678, r.Report.State.GPR[x86.RBX])
	require.Equal(t, []byte{0x0F, 0x0B}, r.Report.Code[:2], "the code at RIP is UD2")
	text := r.Report.String()
	for _, part := range []string{"RBX 0000000012345678", "vCPU 0: shutdown exit", "code  0f 0b", "CR0", "GDTR", "ud2"} {
		require.Contains(t, text, part)
	}
	require.NoError(t, v.Start(), "a crashed VM can be started again")
	require.Equal(t, CauseShutdown, v.wait(t).Cause)
}

func TestDeadline(t *testing.T) {
	v := newTestVM(t, nil, forever)
	require.NoError(t, v.Start())
	require.NoError(t, v.RunUntil(20*time.Millisecond))
	require.Equal(t, CauseDeadline, v.wait(t).Cause)
	require.Equal(t, StatePaused, v.State())
	require.NoError(t, v.RunUntil(0))
	require.NoError(t, v.Resume())
	require.Equal(t, StateRunning, v.State())
	v.close(t)
}

func TestNMI(t *testing.T) {
	v := newTestVM(t, nil, func(a *asm.Asm) {
		a.Mov(asm.ESP, asm.Imm(0x280000))
		a.Mov(asm.Abs(0x280000+16).Dword(), asm.Addr{Label: "nmi"})
		a.Mov(asm.AX, asm.Abs(0x280000+16).Word())
		a.Mov(asm.Abs(0x290000+16).Word(), asm.AX)
		a.Mov(asm.Abs(0x290000+18).Word(), asm.Imm(0x10))
		a.Mov(asm.Abs(0x290000+20).Word(), asm.Imm(0x8E00))
		a.Mov(asm.AX, asm.Abs(0x280000+18).Word())
		a.Mov(asm.Abs(0x290000+22).Word(), asm.AX)
		a.Lgdt(asm.At("gdtr"))
		a.Lidt(asm.At("idtr"))
		print(a, "ready")
		a.Hlt()
		a.Jmp("halt")
		a.Label("nmi")
		exit(a, 2)
		a.Label("gdtr")
		a.Data16(0x17)
		a.DataAddr(32, "gdt", 0)
		a.Label("idtr")
		a.Data16(0x7FF)
		a.Data32(0x290000)
		a.Label("gdt")
		a.Data64(0, 0, 0x00CF9B000000FFFF)
	})
	require.NoError(t, v.Start())
	require.Eventually(t, func() bool { return v.printed() == "ready" }, 5*time.Second, time.Millisecond)
	require.NoError(t, v.NMI())
	require.Equal(t, CauseDebugExit, v.wait(t).Cause, "%v", v.Reason().Report)
	v.close(t)
}

func TestStats(t *testing.T) {
	v := newTestVM(t, nil, func(a *asm.Asm) {
		for range 3 {
			a.In(asm.AL, asm.Imm(layout.DebugExitPort))
		}
		a.In(asm.AL, asm.Imm(0xFA)) // nobody's
		print(a, "x")
		forever(a)
	})
	require.Zero(t, v.Stats())
	require.NoError(t, v.Start())
	require.Eventually(t, func() bool { return v.printed() == "x" }, 5*time.Second, time.Millisecond)
	require.NoError(t, v.Pause(context.Background()))
	s := v.Stats()
	require.EqualValues(t, 5, s.Exits[vcpu.KindPIO])
	require.EqualValues(t, 1, s.UnclaimedPIO)
	require.Positive(t, s.Exits[vcpu.KindStage2])
	require.Positive(t, s.Tables)
	require.GreaterOrEqual(t, s.Total(), s.Exits[vcpu.KindPIO]+s.Exits[vcpu.KindStage2])
	require.Len(t, v.CPUStats(), 1)
	require.Equal(t, s.Exits, v.CPUStats()[0].Exits)
	v.close(t)
	require.Nil(t, v.CPUStats())
}

func TestConsoleInput(t *testing.T) {
	v := newTestVM(t, nil, func(a *asm.Asm) {
		print(a, "?")
		a.Label("wait")
		a.Mov(asm.DX, asm.Imm(layout.COM1Port+5))
		a.In(asm.AL, asm.DX)
		a.Test(asm.AL, asm.Imm(1))
		a.Jcc(asm.E, "wait")
		a.Mov(asm.DX, asm.Imm(layout.COM1Port))
		a.In(asm.AL, asm.DX)
		a.Out(asm.Imm(layout.DebugExitPort), asm.AL)
	})
	require.Zero(t, v.Console().Input([]byte("lost")), "a VM that is off takes no input")
	require.NoError(t, v.Start())
	require.Equal(t, 1, v.Console().Input([]byte("k")))
	require.EqualValues(t, 'k', v.wait(t).Code)
	v.close(t)
}

func TestHiddenFeatures(t *testing.T) {
	h := newTestHost(t)
	p, err := newPolicy(&h.Host, &Config{Name: "vm", VCPUs: 1, HideCPUID: []string{"nx"}})
	require.NoError(t, err)
	require.False(t, p.Has("nx"))
	b := &board{policy: p}
	require.Zero(t, b.validEFER()&x86.EFERNXE)
	require.NotZero(t, b.validEFER()&x86.EFERLME)
	_, err = newPolicy(&h.Host, &Config{VCPUs: 1, HideCPUID: []string{"?"}})
	require.ErrorIs(t, err, cpuid.ErrFeature)
}

// TestBackendHides: what the processor denies to guests is not shown to them.
func TestBackendHides(t *testing.T) {
	h := newTestHost(t)
	c := Config{Name: "vm", VCPUs: 1, HideCPUID: []string{"nx"}}
	p, err := newPolicy(&h.Host, &c)
	require.NoError(t, err)
	require.True(t, p.Has("rdtscp"))
	h.Backend = hiding{h.fake}
	p, err = newPolicy(&h.Host, &c)
	require.NoError(t, err)
	require.False(t, p.Has("rdtscp"))
	require.False(t, p.Has("nx"))
	require.Equal(t, []string{"nx"}, c.HideCPUID)
}

// hiding is a backend whose processor lacks RDTSCP for guests.
type hiding struct{ vcpu.Backend }

func (h hiding) Caps() vcpu.Caps {
	c := h.Backend.Caps()
	c.HideCPUID = []string{"rdtscp"}
	return c
}
