package hv

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/cpuid"
	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/snapshot"
	"ringo/x86"
	"ringo/x86/asm"
)

// baseline is what the test's host, a small AMD processor, can present as one
// of either vendor's.
func baseline(t testing.TB, v cpuid.Vendor) *cpuid.Baseline {
	t.Helper()
	b, err := cpuid.Offer(hostCPUID, 40)
	require.NoError(t, err)
	b.Vendor = v
	return &b
}

// reports prints an exception's vector and ends.
func reports(a *asm.Asm, code func()) {
	code()
	exit(a, 0)
}

// TestForeignHypercall: a guest that thinks it is on Intel makes VMCALL, which
// is #UD here, and gets its answer; a guest of the host's own vendor gets #UD,
// which without a handler is a triple fault.
func TestForeignHypercall(t *testing.T) {
	code := func(a *asm.Asm) {
		reports(a, func() {
			a.Mov(asm.EAX, asm.Imm(99))
			a.Vmcall()
			a.Cmp(asm.EAX, asm.Imm(-1000))
			a.Jcc(asm.E, "good")
			exit(a, 1)
			a.Label("good")
		})
	}
	v := newTestVM(t, func(c *Config) { c.CPU = baseline(t, cpuid.Intel) }, code)
	require.NoError(t, v.Start())
	require.Equal(t, Reason{Cause: CauseDebugExit}, <-v.stopped)
	v.close(t)

	v = newTestVM(t, func(c *Config) { c.CPU = baseline(t, cpuid.AMD) }, code)
	require.NoError(t, v.Start())
	require.Equal(t, CauseShutdown, (<-v.stopped).Cause)
	v.close(t)
}

// TestForeignUD: what is invalid on every processor stays #UD.
func TestForeignUD(t *testing.T) {
	v := newTestVM(t, func(c *Config) { c.CPU = baseline(t, cpuid.Intel) }, func(a *asm.Asm) { a.Ud2() })
	require.NoError(t, v.Start())
	require.Equal(t, CauseShutdown, (<-v.stopped).Cause)
	v.close(t)
}

// TestForeignSysenter follows SYSENTER through the exit: registers, segments,
// the interrupt shadow and the single-step trap.
func TestForeignSysenter(t *testing.T) {
	v := newTestVM(t, func(c *Config) { c.CPU = baseline(t, cpuid.Intel) }, forever)
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	c := v.board.cpus[0]
	require.NoError(t, v.board.space.WriteAt([]byte{0x0F, 0x34}, 0x5000))
	s := c.store(x86.GroupAll)
	s.RIP, s.RFLAGS = 0x5000, x86.FlagReserved1|x86.FlagTF|x86.FlagRF
	s.SysenterCS, s.SysenterESP, s.SysenterEIP = 0x10, 0x6000, 0x7000
	s.Interrupt.STIShadow = true
	c.load(x86.GroupAll)
	e := &vcpu.Exit{Kind: vcpu.KindException, Vector: x86.VectorUD}
	require.True(t, c.exception(e))
	require.True(t, e.Emulated)
	s = c.store(x86.GroupAll)
	require.EqualValues(t, 0x7000, s.RIP)
	require.EqualValues(t, 0x6000, s.GPR[x86.RSP])
	require.EqualValues(t, 0x10, s.Seg[x86.CS].Selector)
	require.Zero(t, s.RFLAGS&x86.FlagRF)
	require.Equal(t, x86.Interruptibility{}, s.Interrupt)
	ev, ok := c.v.Pending()
	require.True(t, ok)
	require.EqualValues(t, x86.VectorDB, ev.Vector, "the trap after an instruction that began with TF")
	v.close(t)
}

// TestForeignSysenterOfAProgram: the instruction is read as the program itself
// may, from a page that the kernel must not touch (SMAP).
func TestForeignSysenterOfAProgram(t *testing.T) {
	v := newTestVM(t, func(c *Config) { c.CPU = baseline(t, cpuid.Intel) }, forever)
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	c := v.board.cpus[0]
	const user = x86.PTEPresent | x86.PTEWrite | x86.PTEUser
	for at, entry := range map[memory.GPA]uint64{0x200000: 0x201000 | user, 0x201000: 0x202000 | user, 0x202000: x86.PTEPageSize | user} {
		require.NoError(t, v.board.space.WriteAt(binary.LittleEndian.AppendUint64(nil, entry), at))
	}
	require.NoError(t, v.board.space.WriteAt([]byte{0x0F, 0x34}, 0x5000))
	s := c.store(x86.GroupAll)
	s.CR0, s.CR3, s.CR4 = s.CR0|x86.CR0PE|x86.CR0PG, 0x200000, x86.CR4PAE|x86.CR4SMAP|x86.CR4SMEP
	s.EFER = x86.EFERLME | x86.EFERLMA
	setFlat(s, 0x20, 3, false)
	s.RIP, s.SysenterCS, s.SysenterESP, s.SysenterEIP = 0x5000, 0x10, testESP, testEIP
	c.load(x86.GroupAll)
	require.True(t, c.exception(&vcpu.Exit{Kind: vcpu.KindException, Vector: x86.VectorUD}))
	s = c.store(x86.GroupAll)
	require.EqualValues(t, uint64(testEIP), s.RIP)
	require.True(t, s.Mode64())
	require.Zero(t, s.CPL)
	v.close(t)
}

// TestPresents: only what the shown vendor has is carried out.
func TestPresents(t *testing.T) {
	for _, c := range []struct {
		vendor            cpuid.Vendor
		syscall, sysenter bool
	}{{cpuid.Intel, false, true}, {cpuid.AMD, true, false}} {
		v := newTestVM(t, func(cfg *Config) { cfg.CPU = baseline(t, c.vendor) }, forever)
		require.NoError(t, v.Start())
		p := v.board.cpus[0]
		require.Equal(t, c.syscall, p.presents(opSYSCALL))
		require.Equal(t, c.syscall, p.presents(opSYSRET))
		require.Equal(t, c.sysenter, p.presents(opSYSENTER))
		require.Equal(t, c.sysenter, p.presents(opSYSEXIT))
		require.True(t, p.presents(opHypercall))
		v.close(t)
	}
}

// plainVM lacks vcpu.Foreign.
type plainVM struct{ vcpu.VM }

// TestForeignNeedsBackend: without the ability the VM is refused.
func TestForeignNeedsBackend(t *testing.T) {
	v := newTestVM(t, func(c *Config) { c.CPU = baseline(t, cpuid.Intel) }, forever)
	b, err := newBoard(v.VM)
	require.NoError(t, err)
	real := b.backVM
	b.backVM = plainVM{real}
	require.ErrorIs(t, b.actForeign(), ErrConfig)
	b.backVM = real
	require.NoError(t, b.close())
	v.close(t)
}

// moved saves a VM and restores it in another definition or on another host.
func moved(t *testing.T, from, to func(*Config), change func(*testVM)) error {
	t.Helper()
	v := newTestVM(t, from, forever)
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	var b bytes.Buffer
	require.NoError(t, v.Save(&b, SaveOptions{}))
	v.close(t)
	w := newTestVM(t, to, forever)
	if change != nil {
		change(w)
	}
	err := w.Restore(&b)
	w.close(t)
	return err
}

// TestRestoreRefusesProcessor: a guest that would see another processor is
// refused with the name of what differs.
func TestRestoreRefusesProcessor(t *testing.T) {
	none := func(*Config) {}
	require.NoError(t, moved(t, none, none, nil))
	intel := func(c *Config) { c.CPU = baseline(t, cpuid.Intel) }
	require.NoError(t, moved(t, intel, intel, nil))
	err := moved(t, none, func(c *Config) { c.HideCPUID = []string{"nx", "pni"} }, nil)
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorIs(t, err, cpuid.ErrDiffers)
	require.ErrorContains(t, err, "this VM lacks: pni, nx")
	require.ErrorContains(t, moved(t, intel, func(c *Config) {
		c.CPU = baseline(t, cpuid.Intel)
		c.CPU.PhysAddrBits = 39
	}, nil), "MAXPHYADDR is 40 in the snapshot and 39 here")
	require.ErrorContains(t, moved(t, intel, func(c *Config) { c.CPU = baseline(t, cpuid.AMD) }, nil), "leaf 0x0.0")
}

// unscaled is a backend whose processor cannot scale the TSC.
type unscaled struct{ vcpu.Backend }

func (u unscaled) Caps() vcpu.Caps {
	c := u.Backend.Caps()
	c.TSCScaling = false
	return c
}

// TestRestoreRefusesTSC: another frequency is only for a guest whose clocks do
// not depend on it.
func TestRestoreRefusesTSC(t *testing.T) {
	slow := func(w *testVM) {
		w.VM.host.Backend = unscaled{w.VM.host.Backend}
		w.VM.host.TSCHz /= 2
	}
	frozen := func(c *Config) { c.CPU = baseline(t, cpuid.AMD) }
	err := moved(t, frozen, frozen, slow)
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorContains(t, err, "does not use the paravirtual clock on vCPU 0")

	v := newTestVM(t, func(c *Config) { frozen(c); c.VCPUs = 2 }, forever)
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	b := v.board
	require.Contains(t, b.tscBound(), "paravirtual clock on vCPU 0")
	require.True(t, b.parts.clock.WriteMSR(0, x86.MSRKVMSystemTimeNew, 0x5000|1))
	require.Empty(t, b.tscBound(), "vCPU 1 waits for its start")
	reg := b.cpus[0].area.APIC.Reg(vcpu.APICLVTTimer)
	*reg |= lvtTimerDeadline
	require.Contains(t, b.tscBound(), "TSC-deadline mode")
	*reg &^= lvtTimerDeadline
	b.cpus[1].area.Activity = uint32(x86.ActivityRunning)
	require.Contains(t, b.tscBound(), "paravirtual clock on vCPU 1")
	b.cpus[1].area.Activity = uint32(x86.ActivityWaitSIPI)
	var s bytes.Buffer
	require.NoError(t, v.Save(&s, SaveOptions{}))
	v.close(t)
	w := newTestVM(t, func(c *Config) { frozen(c); c.VCPUs = 2 }, forever)
	slow(w)
	require.NoError(t, w.Restore(&s), "its clock is drawn anew")
	w.close(t)
}

// TestRestoreVersion1: a snapshot of before is taken on the same host, and its
// guest never at another frequency.
func TestRestoreVersion1(t *testing.T) {
	v := newTestVM(t, nil, forever)
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	m := (*machineState)(v.board)
	old := func(hz uint64) *snapshot.Decoder {
		e := snapshot.NewEncoder(schemaVM1)
		e.String("machine", MachineRingo1)
		e.Uint64("memory", v.cfg.Memory)
		e.Uint32("vcpus", v.cfg.VCPUs)
		e.Bool("debug-exit", true)
		e.Uint64("tsc-hz", hz)
		e.Int64("clock-ns", 1)
		p, err := e.Payload()
		require.NoError(t, err)
		return snapshot.NewDecoder(schemaVM1, p)
	}
	v.VM.host.Backend = unscaled{v.VM.host.Backend}
	require.NoError(t, m.Restore(schemaVM1, old(v.VM.host.TSCHz)))
	require.ErrorContains(t, m.Restore(schemaVM1, old(5)), "did not look")
	require.ErrorIs(t, m.Restore(snapshot.Schema{Name: "vm", Version: 3}, old(5)), snapshot.ErrSchema)
	v.close(t)
}
