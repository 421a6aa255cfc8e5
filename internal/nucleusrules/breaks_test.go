package nucleusrules

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// onlyRoot makes rules with one root and a stack that is large enough.
func onlyRoot(name string) *Rules {
	return &Rules{Roots: []Root{{Name: name, Stack: 4096, Other: 4096}}}
}

func rulesOf(list []Finding) []Rule {
	var rules []Rule
	for _, f := range list {
		rules = append(rules, f.Rule)
	}
	return rules
}

// TestBreaks links a program whose functions break the rules one by one, and
// expects of each what it breaks and nothing else.
func TestBreaks(t *testing.T) {
	image := link(t, "./testdata/breaks")
	for _, c := range []struct {
		root  string
		rules []Rule
		what  string // of the first
	}{
		{"main.allocate", []Rule{RuleAllocation, RuleWriteBarrier}, "calls runtime.newobject"},
		{"main.makeSlice", []Rule{RuleAllocation, RuleWriteBarrier}, "calls runtime.makeslice"},
		{"main.grow", []Rule{RuleAllocation, RuleWriteBarrier}, "calls runtime.growslice"},
		{"main.join", []Rule{RuleAllocation, RuleWriteBarrier}, "calls runtime.concatstring2"},
		{"main.storePointer", []Rule{RuleWriteBarrier}, "calls runtime.gcWriteBarrier"},
		{"main.readMap", []Rule{RuleMap}, "calls runtime.mapaccess"},
		{"main.writeMap", []Rule{RuleMap}, "calls runtime.mapassign"},
		{"main.convert", []Rule{RuleInterface, RuleWriteBarrier}, "calls runtime.convT64"},
		{"main.assert", []Rule{RuleInterface, RuleWriteBarrier}, "calls runtime.typeAssert"},
		{"main.deferCall", []Rule{RuleDefer, RuleMap}, "calls runtime.deferreturn"},
		{"main.lock", []Rule{RuleBlocking}, "sync."},
		{"main.send", []Rule{RuleBlocking}, "calls runtime.chansend1"},
		{"main.start", []Rule{RuleBlocking}, "calls runtime.newproc"},
		{"main.copyBytes", []Rule{RuleBulk}, "calls runtime.memmove"},
		{"main.clearBytes", []Rule{RuleBulk}, "calls runtime.memclr"},
		{"main.compare", []Rule{RuleBulk}, "calls runtime.memequal"},
		{"main.panicNow", []Rule{RulePanic}, "calls runtime.gopanic"},
		{"main.callVariable", []Rule{RuleIndirect}, "through the variable main.variable"},
		{"main.callMethod", []Rule{RuleIndirect}, "of a parameter"},
		{"main.recurse", []Rule{RuleRecursion}, "main.recurse -> main.recurse"},
		{"main.ping", []Rule{RuleRecursion}, "main.ping -> main.pong -> main.ping"},
		{"main.deep", []Rule{RuleStack}, "of 4096"},
		{"main.vex.abi0", []Rule{RuleVEX}, "VZEROUPPER"},
		{"main.evex.abi0", []Rule{RuleVEX}, ""},
		{"main.x87.abi0", []Rule{RuleExtended}, "fld1"},
		{"main.xsave.abi0", []Rule{RuleExtended}, "xsave64"},
	} {
		t.Run(c.root, func(t *testing.T) {
			r, err := Check(image, onlyRoot(c.root))
			require.NoError(t, err)
			got := rulesOf(r.Findings)
			slices.Sort(got)
			require.Equal(t, slices.Sorted(slices.Values(c.rules)), slices.Compact(got), r.Findings)
			require.True(t, slices.ContainsFunc(r.Findings, func(f Finding) bool {
				return f.Rule == c.rules[0] && strings.Contains(f.What, c.what)
			}), r.Findings)
		})
	}
}

func TestBreaksNothing(t *testing.T) {
	r, err := Check(link(t, "./testdata/breaks"), onlyRoot("main.clean"))
	require.NoError(t, err)
	require.Empty(t, r.Findings)
	require.Equal(t, []string{"main.clean", "main.tidy"}, r.Reached)
	require.Empty(t, r.Checks)
	require.Len(t, r.Depths, 1)
	require.Equal(t, "main.clean", r.Depths[0].Root)
}

func TestFlow(t *testing.T) {
	image := link(t, "./testdata/breaks")

	t.Run("all cases of a jump table", func(t *testing.T) {
		f, err := image.Function("main.chosen")
		require.NoError(t, err)
		var to []string
		for _, c := range f.Calls {
			to = append(to, strings.TrimSuffix(c.To, ".abi0"))
		}
		for _, name := range []string{"grow", "readMap", "writeMap", "convert", "lock", "send", "start", "copyBytes", "deep", "x87"} {
			require.Contains(t, to, "main."+name)
		}
	})

	t.Run("a closure passed to another function", func(t *testing.T) {
		rules := onlyRoot("main.viaClosure")
		r, err := Check(image, rules)
		require.NoError(t, err)
		require.Contains(t, rulesOf(r.Findings), RuleIndirect)
		rules.Parameters = []string{"main.twice"}
		r, err = Check(image, rules)
		require.NoError(t, err)
		require.NotContains(t, rulesOf(r.Findings), RuleIndirect)
		require.Contains(t, rulesOf(r.Findings), RuleAllocation)
		require.Contains(t, r.Depths[0].Chain, "main.viaClosure.func1")
	})

	t.Run("a variable with its functions", func(t *testing.T) {
		require.Equal(t, "main.allocate", image.Holds("main.variable"))
		require.Empty(t, image.Holds("main.number"))
		rules := onlyRoot("main.callVariable")
		rules.Variables = map[string][]string{"main.variable": {"main.clean"}}
		r, err := Check(image, rules)
		require.NoError(t, err)
		require.Empty(t, r.Findings)
		require.Contains(t, r.Reached, "main.tidy")
	})

	t.Run("a check of the compiler", func(t *testing.T) {
		r, err := Check(image, onlyRoot("main.checked"))
		require.NoError(t, err)
		require.Empty(t, r.Findings)
		require.Equal(t, map[string]int{"main.checked": 1}, r.Checks)
	})

	t.Run("depths", func(t *testing.T) {
		f, err := image.Function("main.pushed.abi0")
		require.NoError(t, err)
		require.Equal(t, 40, f.Own)
		require.Equal(t, 40, f.Calls[0].Depth)
		f, err = image.Function("main.switched.abi0")
		require.NoError(t, err)
		require.Equal(t, 8, f.Own)
		require.Equal(t, 24, f.Other)
		require.True(t, f.Calls[0].Other)
		f, err = image.Function("main.deep")
		require.NoError(t, err)
		require.InDelta(t, 6000, f.Own, 100)
	})

	t.Run("what cannot be followed", func(t *testing.T) {
		_, err := image.Function("main.unfollowable.abi0")
		require.ErrorContains(t, err, "stack pointer")
		_, err = Check(image, onlyRoot("main.unfollowable.abi0"))
		require.ErrorContains(t, err, "main.unfollowable")
		_, err = Check(image, onlyRoot("main.missing"))
		require.ErrorIs(t, err, ErrNoFunction)
	})
}
