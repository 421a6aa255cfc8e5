package hv

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// intrWindow is the moment at which an interrupt of the PIC can be taken. The
// PIC is asked only now, since only now is the interrupt acknowledged.
func (c *cpu) intrWindow(*vcpu.Exit) bool {
	if !apic.ExtINT(c.area) {
		return true
	}
	vector := c.board.acknowledge()
	if err := c.v.Inject(vcpu.Event{Type: vcpu.EventInterrupt, Vector: vector}); err != nil {
		return c.crash(CauseHost, "cannot inject an interrupt of the PIC: "+err.Error())
	}
	return true
}

// endOfInterrupt tells the I/O APIC about a level-triggered interrupt's end.
func (c *cpu) endOfInterrupt(e *vcpu.Exit) bool {
	c.board.ioapicEOI(uint8(e.Data))
	return true
}

// initialize serves INIT (SDM volume 3A, section 10.4.2 "MP Initialization
// Protocol Requirements and Restrictions"). On the bootstrap processor it
// would start the firmware, which here means a reset of the machine.
func (c *cpu) initialize(e *vcpu.Exit) bool {
	if c.id == 0 {
		c.board.restart()
		return c.board.gate.pass()
	}
	const groups = x86.GroupAll &^ x86.GroupTSC // the TSC goes on
	s := c.store(groups)
	s.Init()
	s.Activity = x86.ActivityWaitSIPI
	c.load(groups)
	apic.Init(c.area)
	e.Emulated, e.Cancel = true, true
	return true
}

// startUp serves a start-up IPI, which only a vCPU that waits for one takes.
func (c *cpu) startUp(e *vcpu.Exit) bool {
	e.Emulated = true
	if x86.Activity(c.area.Activity) != x86.ActivityWaitSIPI {
		return true
	}
	const groups = x86.GroupIP | x86.GroupSeg | x86.GroupInterrupt
	c.store(groups).StartUp(uint8(e.Data))
	c.load(groups)
	return true
}
