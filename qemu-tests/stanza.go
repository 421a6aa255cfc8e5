package qemutests

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// QEMU is the emulator that plays the machine: it has AMD-V with nested
// paging.
const QEMU = "qemu-system-x86_64"

// Killed as a stanza's Exit: the emulator does not end by itself, the runner
// ends it when the script is through.
const Killed = -1

// EPYC is QEMU's processor with AMD-V and nested paging, without what the
// emulation lacks and would warn of.
const EPYC = "EPYC,-rdseed,-sha-ni,-fxsr-opt,-misalignsse,-3dnowprefetch,-osvw,-topoext,-nrip-save,-xsavec"

// Stanza is one test on an emulated machine. {seed} in Config, Append and
// Script stands for a number that is new in each run.
type Stanza struct {
	Name     string
	About    string        // what it shows
	Emulator string        // Bochs, or a program that takes QEMU's arguments; "": QEMU
	CPU      string        // the emulator's name of the processor; "": EPYC or SkylakeX
	SMP      int           // processors; 0: 1
	Memory   string        // such as 1G; "": 1G
	Timeout  time.Duration // for the whole run; 0: 2 minutes
	Icount   bool          // an instruction is a tick: repeatable, one processor; always so in Bochs
	// Disturbed has QEMU's processors look up from what they run all the time,
	// as they do on a busy machine at bad moments.
	Disturbed bool
	IPS       int      // Bochs' ticks a second; 0: 400 million
	CD        bool     // GRUB loads the image from a CD; always so in Bochs
	Args      []string // further arguments of QEMU, further options of Bochs' configuration

	// For Bochs: commands for its debugger, a line each, instead of the one that
	// lets the machine run, and who else gets what Bochs itself prints.
	Debugger []string
	Screen   io.Writer

	// What boots: Ringo's image with a bundle, another image of ours in the
	// build folder, or, as a baseline, a Linux kernel of the build folder.
	Image  string
	Kernel string
	Initrd string // with Kernel: its initial RAM disk, in the build folder
	Append string // command line of the host, or of Kernel

	// The bundle: the text of ringo.yaml and where its files come from. A
	// bundle that ringoctl refuses is written as it is, to test the node.
	Config string
	Files  map[string]Source // by the name in Config
	Broken []byte            // instead of Config: these bytes as the bundle

	// First runs before, on a machine of its own. Both have the same second disk,
	// which is empty at first: this one finds there what that has left.
	First *Stanza
	Disk  string // file of the second disk; First makes one

	Script []Step   // what must appear, in this order, and what to answer
	Forbid []string // regular expressions that no line may match
	Exit   int      // code that the emulator ends with, or Killed
	// Failing says that the machine fails on purpose: what shows trouble
	// elsewhere may appear.
	Failing bool
	Soak    bool // repeated by "make soak"
	// Unsteady is the open fault for which "make test" leaves the stanza out;
	// RINGO_UNSTEADY=1 runs it.
	Unsteady string
}

// Step waits for Expect to appear on the console after the step before, and
// then types Send.
type Step struct {
	Expect string // regular expression, within one line
	Send   string
}

// Source gives the contents of a file of a bundle: a file of the build folder
// or bytes.
type Source struct {
	Build string
	Bytes func() []byte
}

// Expect makes a script of steps that send nothing.
func Expect(patterns ...string) []Step {
	steps := make([]Step, len(patterns))
	for i, p := range patterns {
		steps[i].Expect = p
	}
	return steps
}

// trouble is what no console may show, whatever the test.
var trouble = []string{
	`^panic: `, `^fatal error: `, `found bad pointer`, `checkmark found unmarked`,
	`Kernel panic - not syncing`, `BUG: `, `assertion failed`,
	`^RINGO STOPPED: `, `: crashed: `, `^RINGO-CHECK \S+ FAIL`,
}

// firstName is the name under which First runs.
func (s *Stanza) firstName() string { return s.Name + "-first" }

// normal fills in the defaults and the seed.
func (s Stanza) normal(seed uint64) Stanza {
	if s.Emulator == "" {
		s.Emulator = QEMU
	}
	s.CD = s.CD || s.isBochs()
	switch {
	case s.CPU != "":
	case s.isBochs():
		s.CPU = SkylakeX
	default:
		s.CPU = EPYC
	}
	if s.SMP == 0 {
		s.SMP = 1
	}
	if s.Memory == "" {
		s.Memory = "1G"
	}
	if s.Timeout == 0 {
		s.Timeout = 2 * time.Minute
	}
	fill := strings.NewReplacer("{seed}", fmt.Sprint(seed)).Replace
	s.Config, s.Append = fill(s.Config), fill(s.Append)
	script := make([]Step, len(s.Script))
	for i, step := range s.Script {
		script[i] = Step{fill(step.Expect), fill(step.Send)}
	}
	s.Script = script
	return s
}

// compiled is the part of a stanza that reads the console.
type compiled struct {
	expect []*regexp.Regexp
	send   []string
	forbid []*regexp.Regexp
}

// compile translates the regular expressions.
func (s *Stanza) compile() (*compiled, error) {
	c := &compiled{}
	for _, step := range s.Script {
		re, err := regexp.Compile(step.Expect)
		if err != nil {
			return nil, fmt.Errorf("stanza %s: %w", s.Name, err)
		}
		c.expect, c.send = append(c.expect, re), append(c.send, step.Send)
	}
	forbid := s.Forbid
	if !s.Failing {
		forbid = append(forbid[:len(forbid):len(forbid)], trouble...)
	}
	for _, f := range forbid {
		re, err := regexp.Compile(f)
		if err != nil {
			return nil, fmt.Errorf("stanza %s: %w", s.Name, err)
		}
		c.forbid = append(c.forbid, re)
	}
	return c, nil
}
