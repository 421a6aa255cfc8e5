package hvtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

func fakeEnv(t testing.TB) (*Fake, Env) {
	arena, err := memory.NewArena(64 << 20)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, arena.Close()) })
	f := NewFake(arena)
	return f, Env{Frames: arena, TSC: f.TSC, TSCHz: FakeTSCHz}
}

// TestConformance runs the suite on the fake, with and without instruction
// lengths from the "processor".
func TestConformance(t *testing.T) {
	for _, lengths := range []string{"length", "no-length"} {
		for _, c := range Cases() {
			t.Run(lengths+"/"+c.Name, func(t *testing.T) {
				f, env := fakeEnv(t)
				f.LengthUnknown = lengths == "no-length"
				if reason := c.Skip(f); reason != "" {
					t.Skip(reason)
				}
				c.Run(t, f, env)
			})
		}
	}
}

// logger is a T that only keeps what is logged.
type logger struct{ lines []string }

func (l *logger) Helper()                      {}
func (l *logger) Logf(f string, args ...any)   { l.lines = append(l.lines, fmt.Sprintf(f, args...)) }
func (l *logger) Fatalf(f string, args ...any) { panic("the suite itself failed") }

func TestRunPasses(t *testing.T) {
	f, env := fakeEnv(t)
	var l logger
	sum := Run(&l, f, env)
	require.Equal(t, Summary{Passed: len(Cases())}, sum, "%q", l.lines)
	require.Contains(t, sum.String(), "0 failed")
}

// liar is a Fake that breaks one promise.
type liar struct {
	*Fake
	lie func(vcpu.VCPU) vcpu.VCPU
}

func (l liar) NewVM(s2 memory.Stage2) (vcpu.VM, error) {
	vm, err := l.Fake.NewVM(s2)
	return liarVM{vm, l.lie}, err
}

type liarVM struct {
	vcpu.VM
	lie func(vcpu.VCPU) vcpu.VCPU
}

func (l liarVM) NewVCPU(id uint32) (vcpu.VCPU, error) {
	v, err := l.VM.NewVCPU(id)
	return l.lie(v), err
}

type wrongData struct{ vcpu.VCPU }

func (w wrongData) Run(e *vcpu.Exit) error {
	e.Data = 0 // what the caller read is lost
	return w.VCPU.Run(e)
}

type lostCancel struct{ vcpu.VCPU }

func (w lostCancel) Run(e *vcpu.Exit) error {
	e.Cancel = false
	return w.VCPU.Run(e)
}

type lostEvents struct{ vcpu.VCPU }

func (w lostEvents) Inject(vcpu.Event) error { return nil }

type oneGroup struct{ vcpu.VCPU }

func (w oneGroup) Load(_ x86.Groups, s *x86.State) error { return w.VCPU.Load(x86.GroupAll, s) }

// TestRunFindsLiars: the suite notices broken promises, and goes on to its
// end.
func TestRunFindsLiars(t *testing.T) {
	for name, c := range map[string]struct {
		lie    func(vcpu.VCPU) vcpu.VCPU
		caught string
	}{
		"data":   {func(v vcpu.VCPU) vcpu.VCPU { return wrongData{v} }, "FAIL exit/in/16-bit"},
		"cancel": {func(v vcpu.VCPU) vcpu.VCPU { return lostCancel{v} }, "FAIL event/cancel"},
		"events": {func(v vcpu.VCPU) vcpu.VCPU { return lostEvents{v} }, "FAIL event/exception/32-bit"},
		"groups": {func(v vcpu.VCPU) vcpu.VCPU { return oneGroup{v} }, "FAIL state/groups-are-apart"},
	} {
		t.Run(name, func(t *testing.T) {
			f, env := fakeEnv(t)
			var l logger
			sum := Run(&l, liar{f, c.lie}, env)
			require.NotZero(t, sum.Failed)
			require.Equal(t, len(Cases()), sum.Passed+sum.Failed+sum.Skipped)
			require.Contains(t, strings.Join(l.lines, "\n"), c.caught)
		})
	}
}
