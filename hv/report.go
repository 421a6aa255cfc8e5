package hv

import (
	"fmt"
	"strings"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// Sizes of the excerpts in a Report, in bytes.
const (
	codeBytes  = 48
	stackBytes = 64
)

// Report is a vCPU at the moment at which its VM could not go on.
type Report struct {
	VCPU  uint32
	Exit  string // the exit's name and raw words
	State *x86.State
	// Code starts at RIP and Stack at RSP; shorter, or empty, where the
	// guest's memory cannot be read.
	Code, Stack []byte
	Insn        string // the instruction at RIP
}

// String is the report on several lines.
func (r *Report) String() string {
	var b strings.Builder
	s := r.State
	fmt.Fprintf(&b, "vCPU %d: %s\n", r.VCPU, r.Exit)
	for i := 0; i < x86.NumGPR; i += 4 {
		for j := i; j < i+4; j++ {
			fmt.Fprintf(&b, "%-3s %016x  ", gprNames[j], s.GPR[j])
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "RIP %016x  RFLAGS %08x  CPL %d\n", s.RIP, s.RFLAGS, s.CPL)
	fmt.Fprintf(&b, "CR0 %08x  CR2 %016x  CR3 %016x  CR4 %08x  EFER %x\n", s.CR0, s.CR2, s.CR3, s.CR4, s.EFER)
	for i, name := range segNames {
		g := &s.Seg[i]
		fmt.Fprintf(&b, "%-4s %04x base %016x limit %08x attr %05x\n", name, g.Selector, g.Base, g.Limit, g.Attr)
	}
	fmt.Fprintf(&b, "GDTR %016x:%04x  IDTR %016x:%04x\n", s.GDTR.Base, s.GDTR.Limit, s.IDTR.Base, s.IDTR.Limit)
	fmt.Fprintf(&b, "code  % x\n      %s\nstack % x\n", r.Code, r.Insn, r.Stack)
	return b.String()
}

var gprNames = [x86.NumGPR]string{
	"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15",
}

var segNames = [x86.NumSeg]string{"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"}

// crash ends the VM with a report of this vCPU. It gives false, for an exit's
// handler to return.
func (c *cpu) crash(cause Cause, detail string) bool {
	r := Reason{Cause: cause, Detail: detail}
	r.Report = c.tryReport()
	c.board.end(r)
	return false
}

// tryReport is report where the vCPU may be in a condition that allows none.
func (c *cpu) tryReport() (r *Report) {
	defer func() {
		if recover() != nil {
			r = nil
		}
	}()
	return c.report(&c.exit)
}

// report looks at the vCPU, which is outside Run.
func (c *cpu) report(e *vcpu.Exit) *Report {
	s := new(x86.State)
	if err := c.v.Store(x86.GroupAll, s); err != nil {
		return nil
	}
	r := &Report{VCPU: c.id, Exit: e.Kind.String() + " exit: " + c.nameOf(e), State: s}
	r.Code = c.emul.peek(s, x86.CS, s.RIP, codeBytes)
	r.Stack = c.emul.peek(s, x86.SS, s.GPR[x86.RSP], stackBytes)
	r.Insn = disassemble(r.Code, s)
	return r
}
