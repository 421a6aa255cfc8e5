package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"ringo/api/bundle"
	"ringo/hv"
	"ringo/hv/cpuid"
	"ringo/nucleus"
	"ringo/qemu-tests/tiny"
)

// A guest moves in two runs of this image on two machines: the group save runs
// it to a known point and puts its snapshot on a disk; the group
// continue finds it there.

// traveller is a guest that moves. What it prints has a line with a number for
// each step, so that nothing can be lost or done twice.
type traveller struct {
	config hv.Config
	step   string // what a step's line begins with, before its number
	leave  int    // the step at which it is saved
	last   int    // its last step
	done   string // what it prints at the end
	// foreign is how often at least it uses instructions that the second
	// machine's processor does not have.
	foreign uint64
}

// newTraveller gives the guest that the command line names. boot is for the
// machine where it starts: the other one never loads a kernel.
func newTraveller(opt map[string]string, boot bool) (*traveller, error) {
	vendor, ok := map[string]cpuid.Vendor{"intel": cpuid.Intel, "amd": cpuid.AMD}[opt["vendor"]]
	if !ok {
		return nil, fmt.Errorf("vendor=%q on the command line: want intel or amd", opt["vendor"])
	}
	t := &traveller{}
	switch opt["guest"] {
	case "tiny":
		t.step, t.leave, t.last, t.done = "seq", 20, 60, "moved well"
		t.foreign = 2 * uint64(t.last-t.leave) // a hypercall in each of a round's calls
		t.config = hv.Config{Memory: 8 << 20, Kernel: tiny.Move(tiny.MoveOptions{Rounds: t.last})}
	case "linux":
		t.step, t.leave, t.last, t.done = "RINGO-STEP", 4, 12, "RINGO-GUEST-DONE failed=0"
		t.config = hv.Config{Memory: 96 << 20, Kernel: tiny.Hello()}
		if boot {
			if err := t.loadLinux(); err != nil {
				return nil, err
			}
		}
	default:
		return nil, fmt.Errorf("guest=%q on the command line: want tiny or linux", opt["guest"])
	}
	t.config.Name, t.config.VCPUs, t.config.DebugExit = "traveller", 1, true
	t.config.CPU = &cpuid.Baseline{Vendor: vendor, PhysAddrBits: 40, Features: strings.Fields(common)}
	return t, nil
}

// loadLinux takes kernel and initial RAM disk of the bundle's first VM.
func (t *traveller) loadLinux() error {
	b, err := bundle.Parse(nucleus.Bundle())
	if err != nil {
		return err
	}
	if len(b.VMs) == 0 {
		return fmt.Errorf("the bundle has no VM")
	}
	vm := b.VMs[0]
	t.config.Kernel, _ = b.File(vm.Kernel)
	t.config.Initrd, _ = b.File(vm.Initrd)
	t.config.Cmdline = vm.Cmdline
	return nil
}

// common is what QEMU's EPYC and Bochs' Skylake-X both have and a baseline may
// contain.
const common = `pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 x2apic movbe popcnt aes xsave avx f16c rdrand hypervisor
	fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2
	arat fsgsbase tsc_adjust bmi1 avx2 smep bmi2 adx smap clflushopt xsaveopt xgetbv1
	lahf_lm abm syscall nx pdpe1gb rdtscp lm`

// console collects what a guest prints, shows its lines on the machine's own
// console, and says when the guest has come to a point.
type console struct {
	mu    sync.Mutex
	text  bytes.Buffer
	shown int // bytes of text
	at    string
	seen  chan struct{} // closed when the text holds at
}

func newConsole(at string) *console { return &console{at: at, seen: make(chan struct{})} }

// write takes output. A guest prints little, so it is searched from the start.
func (c *console) write(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.Write(p)
	if n := bytes.LastIndexByte(p, '\n'); n >= 0 {
		end := c.text.Len() - len(p) + n + 1
		for line := range strings.Lines(c.text.String()[c.shown:end]) {
			fmt.Print("  | ", line)
		}
		c.shown = end
	}
	if c.at != "" && strings.Contains(c.text.String(), c.at) {
		c.at = ""
		close(c.seen)
	}
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.ReplaceAll(c.text.String(), "\r", "")
}

// complete checks that the text has every step once and in order, up to last.
func (t *traveller) complete(text string, last int) error {
	steps := regexp.MustCompile(`(?m)^`+t.step+` (\d+)\b.*\n`).FindAllStringSubmatch(text, -1)
	for i, s := range steps {
		if n, _ := strconv.Atoi(s[1]); n != i+1 {
			return fmt.Errorf("step %d follows step %d", n, i)
		}
	}
	if len(steps) < last {
		return fmt.Errorf("there are %d steps; want %d", len(steps), last)
	}
	return nil
}
