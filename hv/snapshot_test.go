package hv

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/boot/layout"
	"ringo/hv/vcpu"
	"ringo/snapshot"
	"ringo/x86"
	"ringo/x86/asm"
)

// counter prints each number that it counts to, as one byte.
func counter(a *asm.Asm) {
	a.Mov(asm.Abs(0x200000).Dword(), asm.Imm(0))
	a.Mov(asm.DX, asm.Imm(layout.COM1Port))
	a.Label("count")
	a.Inc(asm.Abs(0x200000).Dword())
	a.Mov(asm.EAX, asm.Abs(0x200000))
	a.Out(asm.DX, asm.AL)
	a.Jmp("count")
}

// inOrder checks that the output counts up from what came before, with
// nothing lost or repeated.
func inOrder(t *testing.T, out string, from byte) byte {
	t.Helper()
	for i := range len(out) {
		from++
		require.Equal(t, from, out[i], "byte %d", i)
	}
	return from
}

// saved runs a VM for a moment and saves it.
func saved(t *testing.T, v *testVM, o SaveOptions) []byte {
	t.Helper()
	require.NoError(t, v.Start())
	require.Eventually(t, func() bool { return len(v.printed()) > 20 }, 5*time.Second, time.Millisecond)
	require.NoError(t, v.Pause(context.Background()))
	var b bytes.Buffer
	require.NoError(t, v.Save(&b, o))
	return b.Bytes()
}

// TestSnapshot: a VM goes on in another one where it was saved.
func TestSnapshot(t *testing.T) {
	v := newTestVM(t, func(c *Config) { c.VCPUs = 2 }, counter)
	p := saved(t, v, SaveOptions{Memory: true})
	last := inOrder(t, v.printed(), 0)

	w := newTestVM(t, func(c *Config) { c.VCPUs = 2 }, counter)
	require.NoError(t, w.Restore(bytes.NewReader(p)))
	require.Equal(t, StatePaused, w.State())
	require.Equal(t, v.board.clock.Now(), w.board.clock.Now())
	tscs := func(x *testVM) (all []uint64) {
		for _, c := range x.board.cpus {
			all = append(all, x.board.stopTSC+c.area.TSCOffset)
		}
		return all
	}
	require.Equal(t, tscs(v), tscs(w), "the guest's TSCs")
	require.NoError(t, w.Resume())
	require.Eventually(t, func() bool { return len(w.printed()) > 20 }, 5*time.Second, time.Millisecond)
	require.NoError(t, w.Pause(context.Background()))
	inOrder(t, w.printed(), last)

	require.NoError(t, v.Resume(), "the source can go on too")
	v.close(t)
	w.close(t)
}

// sections gives the payloads of a stream in order. The RTC's is left out: it
// shows the time of day, which goes on.
func sections(t *testing.T, p []byte) (names []string, payloads [][]byte) {
	t.Helper()
	r, err := snapshot.NewReader(bytes.NewReader(p))
	require.NoError(t, err)
	for {
		s, err := r.Next()
		if err == io.EOF {
			return names, payloads
		}
		require.NoError(t, err)
		if s.Instance != "rtc" {
			names, payloads = append(names, s.Instance), append(payloads, s.Payload)
		}
	}
}

// TestSnapshotIsStable: what is saved again right after a restore is the same.
func TestSnapshotIsStable(t *testing.T) {
	v := newTestVM(t, nil, counter)
	p := saved(t, v, SaveOptions{Memory: true})
	w := newTestVM(t, nil, counter)
	require.NoError(t, w.Restore(bytes.NewReader(p)))
	var again bytes.Buffer
	require.NoError(t, w.Save(&again, SaveOptions{Memory: true}))
	names, payloads := sections(t, p)
	names2, payloads2 := sections(t, again.Bytes())
	require.Equal(t, names, names2)
	for i := range payloads {
		require.True(t, bytes.Equal(payloads[i], payloads2[i]), "%s differs", names[i])
	}
	v.close(t)
	w.close(t)
}

func TestSaveNeedsPause(t *testing.T) {
	v := newTestVM(t, nil, counter)
	require.ErrorIs(t, v.Save(&bytes.Buffer{}, SaveOptions{}), ErrState)
	require.NoError(t, v.Start())
	require.ErrorIs(t, v.Save(&bytes.Buffer{}, SaveOptions{}), ErrState)
	require.ErrorIs(t, v.Restore(&bytes.Buffer{}), ErrState)
	v.close(t)
}

// TestRestoreRefuses: another definition, a cut or a damaged stream give an
// error and leave the VM off, with nothing held.
func TestRestoreRefuses(t *testing.T) {
	v := newTestVM(t, nil, counter)
	p := saved(t, v, SaveOptions{})
	v.close(t)
	for name, c := range map[string]struct {
		change func(*Config)
		stream []byte
	}{
		"memory": {func(c *Config) { c.Memory = 16 << 20 }, p},
		"vcpus":  {func(c *Config) { c.VCPUs = 2 }, p},
		"debug":  {func(c *Config) { c.DebugExit = false }, p},
		"empty":  {nil, nil},
		"cut":    {nil, p[:len(p)/2]},
		"no end": {nil, p[:len(p)-1]},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestVM(t, c.change, counter)
			require.Error(t, w.Restore(bytes.NewReader(c.stream)))
			require.Equal(t, StateCreated, w.State())
			w.close(t)
		})
	}
}

// TestStateFields: every field of x86.State is saved.
func TestStateFields(t *testing.T) {
	s := new(x86.State)
	for i, w := range words(s) {
		*w = uint64(i) + 1
	}
	for i := range s.Seg {
		s.Seg[i] = x86.Segment{Selector: uint16(i), Attr: uint32(i) + 7, Limit: uint32(i) + 9, Base: uint64(i) + 11}
	}
	s.GDTR.Limit, s.IDTR.Limit, s.CPL = 1, 2, 3
	s.Interrupt = x86.Interruptibility{STIShadow: true, MovSSShadow: true, NMIBlocked: true}
	s.Activity = x86.ActivityHalted
	for i := range s.XSAVE {
		s.XSAVE[i] = byte(i)
	}
	e := snapshot.NewEncoder(schemaCPU)
	saveState(e, s)
	p, err := e.Payload()
	require.NoError(t, err)
	got := new(x86.State)
	d := snapshot.NewDecoder(schemaCPU, p)
	restoreState(d, got)
	require.NoError(t, d.Done())
	require.Equal(t, s, got)
}

// TestHostileState: a state that would fault the host in XRSTOR is refused.
func TestHostileState(t *testing.T) {
	v := newTestVM(t, nil, counter)
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	c := (*cpuState)(v.board.cpus[0])
	for name, change := range map[string]func(*x86.State){
		"XCR0":       func(s *x86.State) { s.XCR0 = x86.XCR0X87 | x86.XCR0AVX512 },
		"no x87":     func(s *x86.State) { s.XCR0 = 0 },
		"XSTATE_BV":  func(s *x86.State) { s.XSAVE[x86.XSaveHeader] = x86.XCR0AVX | 1 },
		"XCOMP_BV":   func(s *x86.State) { s.XSAVE[x86.XSaveXCompBV+7] = 0x80 },
		"reserved":   func(s *x86.State) { s.XSAVE[x86.XSaveHeader+20] = 1 },
		"MXCSR":      func(s *x86.State) { s.XSAVE[x86.XSaveMXCSR+2] = 1 },
		"CPL":        func(s *x86.State) { s.CPL = 4 },
		"activity":   func(s *x86.State) { s.Activity = 9 },
		"XSS":        func(s *x86.State) { s.XSS = 1 },
		"LSTAR":      func(s *x86.State) { s.LSTAR = 1 << 47 },
		"GS base":    func(s *x86.State) { s.Seg[x86.GS].Base = 1 << 63 },
		"TSC_AUX":    func(s *x86.State) { s.TSCAux = 1 << 32 },
		"PAT":        func(s *x86.State) { s.PAT = 2 },
		"unchanged!": nil,
	} {
		s := new(x86.State)
		require.NoError(t, c.v.Store(x86.GroupAll, s))
		if change == nil {
			require.NoError(t, c.check(s), name)
			continue
		}
		change(s)
		require.ErrorIs(t, c.check(s), snapshot.ErrField, name)
	}
	v.close(t)
}

// FuzzRestore: no stream makes Restore panic or keep memory.
func FuzzRestore(f *testing.F) {
	host := newTestHost(f)
	vm, err := New(&host.Host, Config{Name: "fuzz", Memory: 2 << 20, VCPUs: 1, Kernel: kernel(f, counter)})
	require.NoError(f, err)
	require.NoError(f, vm.Start())
	require.NoError(f, vm.Pause(context.Background()))
	var b bytes.Buffer
	require.NoError(f, vm.Save(&b, SaveOptions{}))
	require.NoError(f, vm.Stop())
	f.Add(b.Bytes(), 0, byte(0))
	f.Add(b.Bytes(), 100, byte(1))
	f.Fuzz(func(t *testing.T, p []byte, at int, with byte) {
		p = bytes.Clone(p)
		if len(p) > 0 {
			p[uint(at)%uint(len(p))] ^= with
		}
		if err := vm.Restore(bytes.NewReader(p)); err == nil {
			require.NoError(t, vm.Stop())
		}
		require.NotEqual(t, StateCrashed, vm.State())
		require.Zero(t, host.arena.InUse())
	})
}

// TestPendingEventIsSaved: an event on its way into the guest is not lost.
func TestPendingEventIsSaved(t *testing.T) {
	v := newTestVM(t, nil, counter)
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	want := vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorGP, HasError: true, ErrorCode: 5}
	require.NoError(t, v.board.cpus[0].v.Inject(want))
	var b bytes.Buffer
	require.NoError(t, v.Save(&b, SaveOptions{}))
	w := newTestVM(t, nil, counter)
	require.NoError(t, w.Restore(&b))
	got, ok := w.board.cpus[0].v.Pending()
	require.True(t, ok)
	require.Equal(t, want, got)
	v.close(t)
	w.close(t)
}
