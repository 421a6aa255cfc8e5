package hvtest

import (
	"fmt"

	"ringo/hv/vcpu"
	"ringo/memory"
)

// T is what a case reports to; *testing.T is one. Fatalf does not return.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Env is what the suite needs besides the backend.
type Env struct {
	Frames memory.PageAllocator
	TSC    func() uint64 // reads the host's time stamp counter
	TSCHz  uint64        // its frequency
	// NoXSAVE says that guests have no XSAVE.
	NoXSAVE bool
}

// Case is one promise of the contract. Each can be run alone.
type Case struct {
	Name string
	// Needs gives the reason for which a backend with these abilities cannot
	// run the case, or "". It may be nil.
	Needs func(vcpu.Caps) string
	run   func(*rig)
}

// Cases is the suite in the order of the contract: state, exits, events,
// requests from other CPUs.
func Cases() []Case {
	var all []Case
	for _, part := range [][]Case{
		stateCases(), exitCases(), memoryCases(), eventCases(), interruptCases(), requestCases(), tscCases(),
		dirtyCases(),
	} {
		all = append(all, part...)
	}
	return all
}

// Run runs the case, in a VM of its own.
func (c *Case) Run(t T, b vcpu.Backend, env Env) {
	t.Helper()
	r := newRig(t, b, env)
	defer r.close()
	c.run(r)
}

// Skip gives the reason for which the backend cannot run the case, or "".
func (c *Case) Skip(b vcpu.Backend) string {
	if c.Needs == nil {
		return ""
	}
	return c.Needs(b.Caps())
}

// Summary is how a run of the suite went.
type Summary struct{ Passed, Failed, Skipped int }

// String is the summary on one line.
func (s Summary) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", s.Passed, s.Failed, s.Skipped)
}

// Run runs every case and logs a line for each. A failed case does not end
// the run: it is logged and counted.
func Run(t T, b vcpu.Backend, env Env) Summary {
	var sum Summary
	for _, c := range Cases() {
		if reason := c.Skip(b); reason != "" {
			t.Logf("SKIP %s: %s", c.Name, reason)
			sum.Skipped++
			continue
		}
		if failure := c.attempt(t, b, env); failure != "" {
			t.Logf("FAIL %s: %s", c.Name, failure)
			sum.Failed++
			continue
		}
		t.Logf("PASS %s", c.Name)
		sum.Passed++
	}
	return sum
}

// attempt runs one case and gives what failed, or "".
func (c *Case) attempt(t T, b vcpu.Backend, env Env) (failure string) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failed:
			failure = string(p)
		default:
			failure = fmt.Sprintf("panic: %v", p)
		}
	}()
	c.Run(collector{t}, b, env)
	return ""
}

// failed is what a collector panics with to leave a case.
type failed string

// collector is a T whose Fatalf ends the case only.
type collector struct{ T }

// Fatalf implements T.
func (collector) Fatalf(format string, args ...any) { panic(failed(fmt.Sprintf(format, args...))) }
