package nucleusrules

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// nmiBound is the stack below the saved registers that nmiCommon gives its
// fake g.
const nmiBound = 8192

// gateFrame is what an interrupt gate and the stub of the vector push: SS,
// RSP, RFLAGS, CS, RIP, error code, vector.
const gateFrame = 7 * 8

// spillSpace is what a CPU keeps free above its nucleus stack.
const spillSpace = 64

// unlinked are functions for the nucleus that nothing in the image refers to.
var unlinked = map[string]bool{"ringo/svm.disableThisCPU": true, "ringo/vmx.disableThisCPU": true}

// ringoRules is what the walk has to know of the real image.
func ringoRules(sizes map[string]int) *Rules {
	room := func(name string) int { return sizes[name] - sizes["stackGuard"] }
	nucleus := room("nucleusStack") - spillSpace
	return &Rules{
		Roots: []Root{
			{Name: "ringo/nucleus.syscallEntry.abi0", Other: nucleus},
			{Name: "irqCommon", Stack: room("istStack"), Used: gateFrame, Other: nucleus},
			{Name: "trapCommon", Stack: room("istStack"), Used: gateFrame, Other: nucleus},
			{Name: "pfCommon", Stack: room("istStack"), Used: gateFrame, Other: nucleus},
			{Name: "nmiCommon", Stack: nmiBound, Used: gateFrame},
			{Name: "ringo/nucleus.apEntry.abi0", Other: nucleus},
			{Name: "ringo/nucleus.entry.abi0", Early: true, Other: room("bootStackSize")},
		},
		Ends: []string{
			"ringo/nucleus.fatal", "ringo/nucleus.fatalInside", "ringo/nucleus.fatalThread", "fatalTrap",
			"ringo/nucleus.beginReport", "ringo/nucleus.finish", "ringo/nucleus.outOfMemory",
			"_rt0_amd64_linux",
		},
		Leaves: []string{"resumeAX"},
		Variables: map[string][]string{
			"ringo/nucleus.syscallFn":   {"ringo/nucleus.serveSyscall"},
			"ringo/nucleus.quickFn":     {"ringo/nucleus.quickEnter"},
			"ringo/nucleus.interruptFn": {"ringo/nucleus.threadInterrupt"},
			"ringo/nucleus.trapFn":      {"ringo/nucleus.threadTrap"},
			"ringo/nucleus.pageFaultFn": {"ringo/nucleus.pageFault"},
			"ringo/nucleus.nmiFn":       {"ringo/nucleus.nmi"},
			"ringo/nucleus.guestRunFn":  {"ringo/svm.run", "ringo/vmx.run"},
			"ringo/nucleus.callFn":      {"ringo/svm.enableThisCPU", "ringo/vmx.enableThisCPU", "ringo/vmx.releaseThisCPU"},
		},
		Parameters: []string{
			"ringo/nucleus.eachFree", "ringo/nucleus.eachWord", "ringo/nucleus.addFree.func2",
			"ringo/hv/vcpu/apic.Send", "ringo/hv/vcpu/apic.accept",
		},
		Extended: []string{
			"irqCommon", "trapCommon", "resumeAX",
			"ringo/svm.leaveVectors.abi0", "ringo/svm.enterVectors.abi0", "ringo/svm.fxsave.abi0", "ringo/svm.fxrstor.abi0",
			"ringo/svm.forgetFPUPointers.abi0",
			"ringo/vmx.leaveVectors.abi0", "ringo/vmx.enter.abi0", "ringo/vmx.exited",
		},
		// 32 calls that fill the return stack buffer (the backends' mitigations).
		Patched: map[string]int{"ringo/svm.enter.abi0": 32 * returnAddress, "ringo/vmx.enter.abi0": 32 * returnAddress},
	}
}

// mustReach are functions without which the walk would be blind.
var mustReach = []string{
	"ringo/nucleus.serveSyscall", "ringo/nucleus.threadInterrupt", "ringo/nucleus.threadTrap",
	"ringo/nucleus.pageFault", "ringo/nucleus.nmi", "ringo/nucleus.apMain", "ringo/nucleus.bootMain",
	"ringo/nucleus.schedule", "resumeAX", "ringo/svm.run", "ringo/svm.enter.abi0", "ringo/svm.enableThisCPU",
	"ringo/vmx.run", "ringo/vmx.enter.abi0", "ringo/vmx.enableThisCPU", "ringo/vmx.releaseThisCPU",
}

func TestRingo(t *testing.T) {
	if testing.Short() {
		t.Skip("links the image")
	}
	sizes, err := Constants("../../nucleus", "nucleusStack", "istStack", "stackGuard", "bootStackSize")
	require.NoError(t, err)
	rules := ringoRules(sizes)
	image := link(t, "ringo/cmd/ringo", "-ldflags=-E ringo/nucleus.entry")
	r, err := Check(image, rules)
	require.NoError(t, err)
	for _, f := range r.Findings {
		t.Error(f)
	}
	for name := range unlinked {
		require.False(t, image.HasFunction(name), "%s is in the image now: add it to ringoRules", name)
	}
	for _, name := range mustReach {
		require.Contains(t, r.Reached, name)
	}
	named := slices.Concat(rules.Leaves, rules.Parameters, rules.Extended, slices.Collect(maps.Keys(rules.Patched)))
	for _, name := range named {
		require.Contains(t, r.Reached, name, "ringoRules names it, but the walk does not come to it")
	}
	for variable, targets := range rules.Variables {
		if first := image.Holds(variable); first != "" {
			require.Contains(t, targets, first, variable)
		}
	}
	report(t, r)
}

// report logs what is no failure: stacks, and checks that stop the machine
// when they fail.
func report(t *testing.T, r *Report) {
	for _, d := range r.Depths {
		t.Logf("%s: %d of %d bytes of stack: %s", d.Root, d.Used, d.Limit, strings.Join(d.Chain, " -> "))
	}
	total := 0
	for _, name := range slices.Sorted(maps.Keys(r.Checks)) {
		total += r.Checks[name]
		t.Logf("%d checks of the compiler in %s", r.Checks[name], name)
	}
	t.Logf("%d functions, %d checks of the compiler", len(r.Reached), total)
}

// TestFunctionsForTheNucleus compares the functions that the project's source
// hands to the nucleus with those that ringoRules knows.
func TestFunctionsForTheNucleus(t *testing.T) {
	known := ringoRules(nil).Variables
	for call, variable := range map[string]string{
		"OnEachCPU": "ringo/nucleus.callFn", "SetGuestRun": "ringo/nucleus.guestRunFn",
	} {
		given, err := Arguments("../..", "nucleus", call)
		require.NoError(t, err)
		require.NotEmpty(t, given)
		for _, name := range given {
			if !unlinked[name] {
				require.Contains(t, known[variable], name, "%s of the nucleus is called with it", call)
			}
		}
	}
}
