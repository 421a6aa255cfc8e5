package hv

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/boot/layout"
	"ringo/hv/vcpu"
	"ringo/x86/asm"
)

// TestDevicePanic: a device that fails stops its own VM and no other, and the
// VM can be started anew.
func TestDevicePanic(t *testing.T) {
	v := newTestVM(t, nil, func(a *asm.Asm) { print(a, "!") })
	v.Console().SetOutput(func([]byte) { panic("the device broke") })
	other, err := New(&v.host.Host, Config{Name: "other", Memory: 8 << 20, VCPUs: 1, Kernel: kernel(t, forever)})
	require.NoError(t, err)
	require.NoError(t, other.Start())
	require.NoError(t, v.Start())
	r := v.wait(t)
	require.Equal(t, CauseHost, r.Cause)
	require.Contains(t, r.Detail, "the device broke")
	require.NotNil(t, r.Report)
	require.Equal(t, StateCrashed, v.State())
	require.True(t, v.host.logged("hv.(*Console).print"), "the log has the stack")

	used := v.host.arena.InUse()
	require.NoError(t, v.Stop())
	require.Less(t, v.host.arena.InUse(), used, "RAM is given back")
	v.Console().SetOutput(nil)
	require.NoError(t, v.Start())
	require.Equal(t, StateRunning, other.State())
	require.NoError(t, v.Close())
	require.NoError(t, other.Close())
}

// TestTimerPanic: the same for a device's timer, which runs on a goroutine of
// its own.
func TestTimerPanic(t *testing.T) {
	v := newTestVM(t, nil, forever)
	require.NoError(t, v.Start())
	v.board.clock.NewTimer(func() { panic("the timer broke") }).Reset(0)
	r := v.wait(t)
	require.Equal(t, CauseHost, r.Cause)
	require.Contains(t, r.Detail, "the timer broke")
	require.NoError(t, v.Close())
}

// TestStarvation: a VM that gets no memory waits for it, can be paused and
// stopped, and goes on when there is some.
func TestStarvation(t *testing.T) {
	v := newTestVM(t, nil, func(a *asm.Asm) {
		print(a, "a")
		a.Mov(asm.EAX, asm.Abs(0x400000)) // not touched so far
		exit(a, 1)
	})
	var hoard []func()
	v.Console().SetOutput(func([]byte) { hoard = v.host.takeAll() })
	require.NoError(t, v.Start())
	require.Eventually(t, func() bool { return v.host.logged("waits for memory") }, 5*time.Second, time.Millisecond)
	require.NoError(t, v.Pause(t.Context()))
	require.NoError(t, v.Resume())
	for _, free := range hoard {
		free()
	}
	require.EqualValues(t, 1, v.wait(t).Code)
	v.close(t)
}

// TestUnemulated: a kernel's instruction that nobody can emulate stops the VM
// with a report that names it.
func TestUnemulated(t *testing.T) {
	_, r := run(t, func(a *asm.Asm) {
		a.Mov(asm.EBX, asm.Imm(window))
		a.Lidt(asm.Ptr(asm.EBX, 0))
	})
	require.Equal(t, CauseGuest, r.Cause)
	require.Contains(t, r.Detail, "cannot emulate")
	require.NotNil(t, r.Report)
}

// TestTables: the guest finds the ACPI and SMBIOS anchors in the BIOS area.
func TestTables(t *testing.T) {
	passes(t, func(a *asm.Asm) {
		a.Mov(asm.EAX, asm.Abs(int64(layout.RSDPBase)))
		expect(a, 0x20445352) // "RSD "
		a.Mov(asm.EAX, asm.Abs(int64(layout.SMBIOSBase)))
		expect(a, 0x334D535F) // "_SM3"
	})
}

// TestEveryKindIsHandled: no kind of exit is without a handler.
func TestEveryKindIsHandled(t *testing.T) {
	for k, h := range handlers {
		require.NotNil(t, h, vcpu.Kind(k).String())
		require.NotEmpty(t, vcpu.Kind(k).String())
	}
}
