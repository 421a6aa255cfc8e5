package hv

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"ringo/hv/vcpu"
)

// main is the goroutine of a vCPU. It owns its thread, because the thread is
// what the nucleus schedules as the guest; and it is the recover boundary:
// whatever fails below stops this VM alone.
func (c *cpu) main() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer c.board.gate.leave()
	defer func() {
		if p := recover(); p != nil {
			c.board.panicked(fmt.Sprintf("vCPU %d", c.id), p, debug.Stack(), c)
		}
	}()
	if c.board.gate.pass() {
		c.loop()
	}
}

// loop runs the guest until the VM ends. Only what Go has to do comes here;
// the nucleus finishes the rest by itself.
func (c *cpu) loop() {
	v, e := c.v, &c.exit
	for {
		if err := v.Run(e); err != nil {
			c.cannotRun(err)
			return
		}
		if e.Kind == vcpu.KindPIO && !e.String {
			c.port(e)
			continue
		}
		if e.Kind >= vcpu.NumKinds || !handlers[e.Kind](c, e) {
			return
		}
	}
}

// handlers serve the exits by kind. Each completes the exit, turns it into an
// exception of the guest, or ends the VM; it says whether to go on.
var handlers [vcpu.NumKinds]func(*cpu, *vcpu.Exit) bool

// The table is filled here because the handlers reach it again through a
// vCPU's reset.
func init() {
	handlers = [vcpu.NumKinds]func(*cpu, *vcpu.Exit) bool{
		vcpu.KindNone:       (*cpu).proceed,
		vcpu.KindPIO:        (*cpu).stringPort,
		vcpu.KindMMIO:       (*cpu).deviceMemory,
		vcpu.KindStage2:     (*cpu).stage2,
		vcpu.KindCPUID:      (*cpu).cpuid,
		vcpu.KindRDMSR:      (*cpu).readMSR,
		vcpu.KindWRMSR:      (*cpu).writeMSR,
		vcpu.KindCR:         (*cpu).control,
		vcpu.KindHLT:        (*cpu).halt,
		vcpu.KindPAUSE:      (*cpu).pause,
		vcpu.KindXSETBV:     (*cpu).xsetbv,
		vcpu.KindHypercall:  (*cpu).hypercall,
		vcpu.KindIntrWindow: (*cpu).intrWindow,
		vcpu.KindNMIWindow:  (*cpu).proceed,
		vcpu.KindEOI:        (*cpu).endOfInterrupt,
		vcpu.KindException:  (*cpu).exception,
		vcpu.KindExtInt:     (*cpu).proceed,
		vcpu.KindShutdown:   (*cpu).shutdown,
		vcpu.KindINIT:       (*cpu).initialize,
		vcpu.KindSIPI:       (*cpu).startUp,
		vcpu.KindKick:       (*cpu).kicked,
		vcpu.KindDeadline:   (*cpu).deadline,
		vcpu.KindInsn:       (*cpu).instruction,
		vcpu.KindInvalid:    (*cpu).invalid,
		vcpu.KindUnknown:    (*cpu).unknown,
	}
}

// proceed is for exits that ask for nothing: the guest goes on.
func (c *cpu) proceed(*vcpu.Exit) bool { return true }

// kicked meets the owner of the VM at the gate.
func (c *cpu) kicked(*vcpu.Exit) bool { return c.board.gate.pass() }

// deadline stops here until the owner has paused or stopped the VM.
func (c *cpu) deadline(*vcpu.Exit) bool {
	c.board.expire()
	return c.board.gate.pass()
}
