package vmx

// This file is the loop in the nucleus: run, which the nucleus calls, and what
// happens before each entry. handle.go has what happens after each exit.

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/nucleus"
	"ringo/nucleus/reg"
	"ringo/x86"
)

// reason is why the loop leaves an exit to Go.
type reason uint8

const (
	reasonExit     reason = iota // exitReason
	reasonFailed                 // the VM-entry instruction failed
	reasonFetched                // the parts that Go wanted are there
	reasonKick                   // RequestExit
	reasonDeadline               // RunUntil has passed
	reasonINIT
	reasonSIPI       // reasonData is the vector
	reasonIntrWindow // interrupts are open
	reasonEOI        // reasonData is the vector
	reasonShutdown   // an exception met #DF
	reasonMoved      // another CPU has the VMCS; from here on Go runs the loop again
	reasonLogFull    // pml.go
)

// run is the nucleus's way to run a vCPU until something else is due. It is on
// the nucleus's stack, with interrupts disabled and no P.
func run(g *nucleus.Guest) nucleus.Verdict {
	c := guestMem(g)
	p := cpuRecord(nucleus.VendorCPU())
	start := reg.ReadTSC()
	if c.loadedOn.Load() != p.number+1 && !c.attach(p) {
		return nucleus.VerdictExit
	}
	if c.wantParts != 0 {
		c.fetch(c.wantParts)
		c.wantParts, c.reason = 0, reasonFetched
		return nucleus.VerdictExit
	}
	guestTicks := c.area.GuestTicks
	c.now = start
	// From here a stage-2 flush waits for this vCPU.
	c.active.Store(1)
	if p.lastVCPU != c.id {
		// The branch predictors were trained by another guest.
		if c.features&featureIBPB != 0 && p.lastVCPU != 0 {
			reg.WriteMSR(x86.MSRPredCmd, predCmdIBPB)
		}
		p.lastVCPU = c.id
	}
	v := c.loop(p)
	if c.loaded != 0 {
		c.unloadRegisters(p)
	}
	if uint32(c.sysLive|c.drLive)|c.logging != 0 {
		c.unloadRare(p)
	}
	if v != nucleus.VerdictExit {
		p.evict() // it may go on anywhere
	} else if c.valid&partSP == 0 { // RIP and RFLAGS are here
		c.fetch(partSP)
	}
	c.active.Store(0)
	ran := uint64(0)
	if c.now > start { // the guest was entered; what follows its last exit is short
		ran = c.now - start
	}
	g.RunTicks += ran
	c.area.HostTicks += ran - (c.area.GuestTicks - guestTicks)
	return v
}

// predCmdIBPB is PRED_CMD's indirect branch prediction barrier.
const predCmdIBPB = 1 << 0

// loop enters the guest until a verdict is due.
func (c *vcpuMem) loop(p *perCPU) nucleus.Verdict {
	for {
		if nucleus.Preempt() {
			return nucleus.VerdictPreempt
		}
		// A wake-up that comes after this line forces an exit or is seen by
		// the nucleus when it blocks the guest; one from before is about
		// something that prepare looks at below.
		c.guest.Seen()
		quiet := c.quiet()
		if !quiet {
			if v, stop := c.prepare(); stop {
				return v
			}
			if c.rearm != 0 {
				c.rearm = 0
				c.guest.Arm()
			}
		}
		if c.loaded == 0 && c.registersDue(p) {
			c.loadRegisters(p)
		}
		if !quiet || c.wantPrimary != c.primary {
			c.writeControls()
		}
		if uint8(c.regs[regRFLAGS]>>flagIFShift&1) == c.timed {
			c.boundStay()
		}
		if c.dirty&^partIP != 0 {
			c.writeBack()
		}
		if g := c.area.VMArea().Stage2Generation.Load(); c.tlbOf != p.number+1 || g != c.ack.Load() {
			c.useTLB(p, g)
		}
		if status := enter(c); status != 0 {
			c.failed(status)
			return nucleus.VerdictExit
		}
		c.noteExit()
		if tpr := uint8(*c.area.APIC.Reg(vcpu.APICTPR)); tpr != c.tpr {
			c.syncTPR(tpr)
		}
		switch c.exitReason {
		case uint32(ExitReasonIO): // the most frequent one that needs Go
			c.notePort(p)
			return nucleus.VerdictExit
		case uint32(ExitReasonCPUID):
			if !c.exitCPUID() {
				return nucleus.VerdictExit
			}
			continue
		case uint32(ExitReasonWRMSR):
			c.launched = 1
			if v, stop := c.exitWRMSR(); stop {
				return v
			}
			continue
		}
		if c.afterExit() {
			continue
		}
		if v, stop := c.handle(); stop {
			return v
		}
	}
}

// quiet tells that nothing has changed since the last entry that decides what
// the guest finds: neither here nor what other CPUs and time change.
func (c *vcpuMem) quiet() bool {
	a := &c.area
	return c.busy == 0 && a.Request.Load()|a.PendingIRQ.Load()|a.ExtINT.Load() == 0 && c.now <= c.wake &&
		c.tscOffset == a.TSCOffset && a.VMArea().RunUntil.Load() == c.until
}

// prepare decides what the guest finds when it is entered, or that it is not. It
// leaves busy set where the next entry differs from this one without a cause
// that sets it.
func (c *vcpuMem) prepare() (nucleus.Verdict, bool) {
	a := &c.area
	c.busy = 1
	if c.stepped != 0 && c.regs[regRFLAGS]&x86.FlagIF != 0 {
		c.fetch(partInterrupt) // ends a shadow, before an interrupt can come
	}
	if a.Request.Load() != 0 && c.takeRequests() {
		return nucleus.VerdictExit, true
	}
	if c.times() {
		return nucleus.VerdictExit, true
	}
	if c.tripleFault != 0 {
		c.tripleFault = 0
		c.reason = reasonShutdown
		return nucleus.VerdictExit, true
	}
	if c.features&featureVirtualAPIC != 0 {
		c.chooseAPIC()
	}
	if a.Activity != uint32(x86.ActivityRunning) && !c.wakes() {
		return nucleus.VerdictHalt, true
	}
	if c.nmi != 0 {
		c.takeNMI()
	}
	if c.pullInterrupts() {
		return nucleus.VerdictExit, true
	}
	c.tpr = uint8(*a.APIC.Reg(vcpu.APICTPR))
	if c.event == 0 && c.nmi == 0 && c.window == 0 && c.wantThreshold == 0 &&
		c.wantPrimary&PrimaryInterruptWindowExiting == 0 {
		c.busy = 0
	}
	return 0, false
}

// writeControls brings the VMCS in line with what prepare decided.
func (c *vcpuMem) writeControls() {
	if c.wantPrimary != c.primary {
		c.primary = c.wantPrimary
		vmwrite(uint64(FieldPrimaryControls), uint64(c.primary))
	}
	if c.wantThreshold != c.threshold {
		c.threshold = c.wantThreshold
		vmwrite(uint64(FieldTPRThreshold), uint64(c.threshold))
	}
	if off := c.area.TSCOffset; c.tscOffset != off {
		c.tscOffset = off
		vmwrite(uint64(FieldTSCOffset), off)
	}
	if c.virtual|c.virtualIn != 0 {
		c.writeAPIC()
	}
	if c.event != 0 {
		c.loadEvent()
	}
}

// takeRequests serves what other CPUs asked for. It reports true if Go has to
// act; what it has not looked at then stays for the next time.
func (c *vcpuMem) takeRequests() (toGo bool) {
	a := &c.area
	waits := a.Activity == uint32(x86.ActivityWaitSIPI)
	if c.taken(vcpu.RequestFlush) {
		c.flushTLB()
	}
	if c.taken(vcpu.RequestNMI) {
		c.nmi = 1
	}
	// A processor that waits for a start-up IPI ignores INIT, and any other
	// ignores the start-up IPI.
	if c.taken(vcpu.RequestINIT) && !waits {
		c.reason = reasonINIT
		return true
	}
	if c.taken(vcpu.RequestSIPI) && waits {
		c.reason, c.reasonData = reasonSIPI, uint64(a.SIPI.Load())
		return true
	}
	if c.taken(vcpu.RequestExit) {
		c.reason = reasonKick
		return true
	}
	return false
}

// taken takes a request and tells whether it was there.
func (c *vcpuMem) taken(bit uint32) bool {
	r := &c.area.Request
	return r.Load()&bit != 0 && r.And(^bit)&bit != 0
}

// times fires the APIC timer, checks the VM's deadline, and sets when the
// nucleus must call again. It reports true if the deadline has passed.
func (c *vcpuMem) times() (toGo bool) {
	a := &c.area
	if a.TimerTSC != 0 && c.now >= a.TimerTSC {
		apic.TimerDue(a, c.now)
	}
	until := a.VMArea().RunUntil.Load()
	if until != 0 && c.now >= until {
		c.reason = reasonDeadline
		return true
	}
	if a.TimerTSC == c.timer && until == c.until {
		return false
	}
	c.timer, c.until = a.TimerTSC, until
	wake := c.timer
	if wake == 0 || until != 0 && until < wake {
		wake = until
	}
	c.guest.WakeTSC = wake
	c.wake = wake - 1 // none is the end of time
	c.rearm = 1
	return false
}

// wakes tells whether a halted vCPU goes on, and makes it go on.
func (c *vcpuMem) wakes() bool {
	a := &c.area
	if a.Activity != uint32(x86.ActivityHalted) {
		return false // waits for INIT or a start-up IPI
	}
	wake := c.event != 0 || c.nmi != 0 && !c.nmiBlocked()
	if !wake && c.regs[regRFLAGS]&x86.FlagIF != 0 {
		_, irq := apic.Pending(a)
		wake = irq || c.virtual != 0 && apic.Requested(a) || apic.ExtINT(a) || c.window != 0
	}
	if wake {
		a.Activity = uint32(x86.ActivityRunning)
	}
	return wake
}
