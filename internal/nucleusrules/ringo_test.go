package nucleusrules

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
			"ringo/nucleus.interruptFn": {"ringo/nucleus.threadInterrupt"},
			"ringo/nucleus.trapFn":      {"ringo/nucleus.threadTrap"},
			"ringo/nucleus.pageFaultFn": {"ringo/nucleus.pageFault"},
			"ringo/nucleus.nmiFn":       {"ringo/nucleus.nmi"},
			"ringo/nucleus.guestRunFn":  {"ringo/svm.run"},
			"ringo/nucleus.callFn":      {"ringo/svm.enableThisCPU"},
		},
		Parameters: []string{
			"ringo/nucleus.eachFree", "ringo/nucleus.eachWord", "ringo/nucleus.addFree.func2",
			"ringo/hv/vcpu/apic.Send", "ringo/hv/vcpu/apic.accept",
		},
		Extended: []string{
			"irqCommon", "trapCommon", "resumeAX",
			"ringo/svm.xsave.abi0", "ringo/svm.xrstor.abi0", "ringo/svm.fxsave.abi0", "ringo/svm.fxrstor.abi0",
			"ringo/svm.forgetFPUPointers.abi0",
		},
		// 32 calls that fill the return stack buffer (svm's mitigations).
		Patched: map[string]int{"ringo/svm.enter.abi0": 32 * returnAddress},
	}
}

// link builds a program of this module into a temporary folder.
func link(t *testing.T, pkg string, flags ...string) *Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image")
	args := append([]string{"build", "-trimpath", "-o", out}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "go build %s: %s", pkg, text)
	image, err := ReadImage(out)
	require.NoError(t, err)
	return image
}

func TestRingo(t *testing.T) {
	if testing.Short() {
		t.Skip("links the image")
	}
	sizes, err := constants("../../nucleus", "nucleusStack", "istStack", "stackGuard", "bootStackSize")
	require.NoError(t, err)
	rules := ringoRules(sizes)
	image := link(t, "ringo/cmd/ringo", "-ldflags=-E ringo/nucleus.entry")
	r, err := Check(image, rules)
	require.NoError(t, err)
	for _, f := range r.Findings {
		t.Error(f)
	}
	for _, d := range r.Depths {
		t.Logf("%s: %d of %d bytes of stack: %v", d.Root, d.Used, d.Limit, d.Chain)
	}
	total := 0
	for _, name := range slices.Sorted(maps.Keys(r.Checks)) {
		total += r.Checks[name]
		t.Logf("%d checks of the compiler in %s", r.Checks[name], name)
	}
	t.Logf("%d functions, %d checks of the compiler", len(r.Reached), total)
	_ = fmt.Sprint()
}
