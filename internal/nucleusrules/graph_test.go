package nucleusrules

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// program is a Source without an image.
type program map[string]*Function

func (p program) Function(name string) (*Function, error) {
	f := p[name]
	if f == nil {
		return nil, fmt.Errorf("%s: %w", name, ErrNoFunction)
	}
	f.Name = name
	return f, nil
}

// calling is a function that pushes 16 bytes and calls others.
func calling(to ...string) *Function {
	f := &Function{Own: 16}
	for _, name := range to {
		f.Calls = append(f.Calls, Call{To: name, Depth: 24})
		f.Own = 24
	}
	return f
}

func check(t *testing.T, p program, rules *Rules) *Report {
	t.Helper()
	r, err := Check(p, rules)
	require.NoError(t, err)
	return r
}

func TestNames(t *testing.T) {
	for name, rule := range map[string]Rule{
		"runtime.gcWriteBarrier2": RuleWriteBarrier, "gcWriteBarrier": RuleWriteBarrier,
		"runtime.wbZero": RuleWriteBarrier, "runtime.wbMove": RuleWriteBarrier,
		"runtime.typedmemmove": RuleWriteBarrier, "runtime.typedmemclr": RuleWriteBarrier,
		"runtime.newobject": RuleAllocation, "runtime.mallocgcTiny": RuleAllocation,
		"runtime.makeslice64": RuleAllocation, "runtime.growslice": RuleAllocation,
		"runtime.makemap_small": RuleMap, "runtime.mapaccess1_faststr": RuleMap, "runtime.mapassign": RuleMap,
		"internal/runtime/maps.(*Map).Delete": RuleMap,
		"runtime.convTstring":                 RuleInterface, "runtime.assertE2I": RuleInterface, "runtime.ifaceeq": RuleInterface,
		"runtime.efaceeq": RuleInterface, "runtime.panicdottypeE": RuleInterface,
		"runtime.deferproc": RuleDefer, "runtime.deferprocStack": RuleDefer, "runtime.deferreturn": RuleDefer,
		"runtime.chanrecv1": RuleBlocking, "runtime.selectgo": RuleBlocking, "runtime.lock2": RuleBlocking,
		"sync.(*Mutex).lockSlow": RuleBlocking, "internal/sync.(*Mutex).lockSlow": RuleBlocking,
		"runtime.memmove": RuleBulk, "runtime.memclrNoHeapPointers": RuleBulk, "runtime.memequal": RuleBulk,
		"runtime.gopanic": RulePanic, "runtime.throw": RulePanic,
		"runtime.nanotime": RuleRuntime, "internal/runtime/syscall/linux.Syscall6.abi0": RuleRuntime,
		"reflect.ValueOf": RuleRuntime,
	} {
		got, leaf := judge(name)
		require.Equal(t, rule, got, name)
		require.True(t, leaf, name)
		r := check(t, program{"root": calling("middle"), "middle": calling(name)}, onlyRoot("root"))
		require.Equal(t, []Finding{{rule, "middle", "calls " + name, []string{"root", "middle"}}}, r.Findings)
	}
	for _, name := range []string{"runtime.panicBounds", "runtime.panicdivide", "runtime.morestack_noctxt.abi0", "internal/runtime/atomic.Or32"} {
		require.Empty(t, check(t, program{"root": calling(name)}, onlyRoot("root")).Findings, name)
	}
	for _, name := range []string{"ringo/nucleus.fatal", "sync/atomic.AddInt32", "irqCommon", "main.runtime.newobject"} {
		_, leaf := judge(name)
		require.False(t, leaf, name)
	}
}

func TestChecksAreCounted(t *testing.T) {
	r := check(t, program{"root": calling("runtime.panicBounds", "runtime.panicdivide", "runtime.morestack.abi0")}, onlyRoot("root"))
	require.Equal(t, map[string]int{"root": 2}, r.Checks)
}

func TestFaults(t *testing.T) {
	bad := &Function{Faults: []Fault{{RuleVEX, "vzeroupper"}, {RuleExtended, "xsave64"}}}
	p := program{"root": calling("bad"), "bad": bad}
	rules := onlyRoot("root")
	require.Equal(t, []Rule{RuleVEX, RuleExtended}, rulesOf(check(t, p, rules).Findings))
	rules.Extended = []string{"bad"}
	require.Equal(t, []Rule{RuleVEX}, rulesOf(check(t, p, rules).Findings))
	require.Equal(t, "VEX instruction: vzeroupper (root -> bad) in bad", check(t, p, rules).Findings[0].String())
}

func TestEnds(t *testing.T) {
	p := program{"root": calling("fatal"), "fatal": calling("runtime.newobject")}
	rules := onlyRoot("root")
	require.Len(t, check(t, p, rules).Findings, 1)
	rules.Ends = []string{"fatal"}
	r := check(t, p, rules)
	require.Empty(t, r.Findings)
	require.Equal(t, []string{"root"}, r.Reached)
}

// TestEarly has a function with relaxed and other faults below an early root,
// then below one that is not early, too.
func TestEarly(t *testing.T) {
	p := program{"boot": calling("copy"), "copy": calling("runtime.memmove", "runtime.newobject"), "call": calling("copy")}
	rules := &Rules{Roots: []Root{{Name: "boot", Early: true, Stack: 4096}}}
	require.Equal(t, []Rule{RuleAllocation}, rulesOf(check(t, p, rules).Findings))
	rules.Roots = append(rules.Roots, Root{Name: "call", Stack: 4096})
	r := check(t, p, rules)
	require.Equal(t, []Rule{RuleBulk, RuleAllocation}, rulesOf(r.Findings))
	require.Equal(t, []string{"call", "copy"}, r.Findings[0].Chain)
}

func TestAddressesAreFollowed(t *testing.T) {
	root := calling()
	root.Refs = []string{"closure"}
	r := check(t, program{"root": root, "closure": calling("runtime.newobject")}, onlyRoot("root"))
	require.Equal(t, []string{"root", "closure"}, r.Findings[0].Chain)
}

// indirect is a function with one indirect call.
func indirect(through string) *Function {
	return &Function{Own: 24, Calls: []Call{{Through: through, Depth: 24, Site: 0x10}}}
}

func TestVariables(t *testing.T) {
	p := program{"root": indirect("hook"), "one": calling(), "two": calling("runtime.newobject")}
	rules := onlyRoot("root")
	r := check(t, p, rules)
	require.Equal(t, []Finding{{RuleIndirect, "root", "at 0x10, through the variable hook", []string{"root"}}}, r.Findings)
	rules.Variables = map[string][]string{"hook": {"one", "two"}}
	r = check(t, p, rules)
	require.Equal(t, []Rule{RuleAllocation}, rulesOf(r.Findings))
	require.Equal(t, []string{"one", "root", "two"}, r.Reached)
	rules.Variables["hook"] = []string{"gone"}
	_, err := Check(p, rules)
	require.ErrorIs(t, err, ErrNoFunction)
}

func TestParameters(t *testing.T) {
	root := calling("each")
	p := program{"root": root, "each": indirect(""), "closure": calling("runtime.newobject")}
	rules := onlyRoot("root")
	require.Equal(t, []Rule{RuleIndirect}, rulesOf(check(t, p, rules).Findings))
	rules.Parameters = []string{"each", "absent"}
	require.Contains(t, check(t, p, rules).Findings[0].What, "no caller takes")
	root.Refs = []string{"closure"}
	r := check(t, p, rules)
	require.Equal(t, []Rule{RuleAllocation}, rulesOf(r.Findings))
	require.Equal(t, []string{"root", "each", "closure"}, r.Depths[0].Chain)

	// Passed on by a function between them, once that is known.
	p["root"] = &Function{Calls: []Call{{To: "between"}}, Refs: []string{"closure"}}
	p["between"] = calling("each")
	require.Equal(t, []Rule{RuleIndirect, RuleAllocation}, rulesOf(check(t, p, rules).Findings))
	rules.Parameters = []string{"each", "between"}
	require.Equal(t, []Rule{RuleAllocation}, rulesOf(check(t, p, rules).Findings))

	rules.Parameters, rules.Leaves = nil, []string{"each"}
	require.NotContains(t, rulesOf(check(t, p, rules).Findings), RuleIndirect)
}

func TestDepths(t *testing.T) {
	p := program{
		"root":     calling("left", "right"),                                        // 24
		"left":     calling(),                                                       // 16
		"right":    calling("bottom", "runtime.panicBounds"),                        // 24
		"bottom":   {Own: 100, Other: 8, Calls: []Call{{To: "far", Depth: 8}}},      // 100
		"far":      {Own: 8, Calls: []Call{{To: "nearby", Depth: 50, Other: true}}}, // 8, other 50
		"nearby":   {Own: 30},
		"switched": {Own: 8, Other: 8, Calls: []Call{{To: "left", Depth: 16, Other: true}}},
	}
	rules := &Rules{Roots: []Root{{Name: "root", Stack: 158, Used: 10, Other: 80}}}
	r := check(t, p, rules)
	require.Empty(t, r.Findings)
	require.Equal(t, []Depth{
		{"root", 158, 158, []string{"root", "right", "bottom"}},
		{"root", 80, 80, []string{"root", "right", "bottom", "far", "nearby"}},
	}, r.Depths)

	rules.Roots[0].Stack, rules.Roots[0].Other = 157, 79
	r = check(t, p, rules)
	require.Equal(t, []Finding{
		{RuleStack, "bottom", "158 bytes of 157", []string{"root", "right", "bottom"}},
		{RuleStack, "nearby", "80 bytes of 79", []string{"root", "right", "bottom", "far", "nearby"}},
	}, r.Findings)

	rules.Roots[0].Stack, rules.Roots[0].Other = 200, 80
	rules.Patched = map[string]int{"bottom": 60}
	require.Equal(t, []Rule{RuleStack}, rulesOf(check(t, p, rules).Findings))

	// A stack for which a root has no size must not be used.
	rules = &Rules{Roots: []Root{{Name: "switched", Stack: 100}}}
	require.Equal(t, "32 bytes of 0", check(t, p, rules).Findings[0].What)
}

func TestRecursion(t *testing.T) {
	p := program{"root": calling("a"), "a": calling("b"), "b": calling("c"), "c": calling("b")}
	r := check(t, p, onlyRoot("root"))
	require.Equal(t, []Finding{{RuleRecursion, "b", "b -> c -> b", []string{"root", "a"}}}, r.Findings)
}
