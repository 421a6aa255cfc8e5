package svm

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
	reasonExit     reason = iota // the exit code in the VMCB
	reasonLength                 // Go must find the length of the instruction
	reasonMove                   // reasonExit, and Go shall decode the instruction for the next time
	reasonKick                   // RequestExit
	reasonDeadline               // RunUntil has passed
	reasonINIT
	reasonSIPI       // reasonData is the vector
	reasonIntrWindow // interrupts are open
	reasonEOI        // reasonData is the vector
	reasonShutdown   // an exception met #DF
)

// run is the nucleus's way to run a vCPU until something else is due. It is on
// the nucleus's stack, with interrupts disabled and no P.
func run(g *nucleus.Guest) nucleus.Verdict {
	c := guestMem(g)
	p := cpuRecord(nucleus.VendorCPU())
	start := reg.ReadTSC()
	guestTicks := c.area.GuestTicks
	c.now = start
	// From here a stage-2 flush waits for this vCPU.
	c.active.Store(1)
	c.beginTurn(p)
	v := c.loop(p)
	if c.loaded != 0 {
		c.saveFPU(p)
		if c.drLive != 0 {
			c.saveDR()
		}
	}
	c.active.Store(0)
	ran := uint64(0)
	if c.left > start { // the guest was entered; what follows its last exit is short
		ran = c.left - start
	}
	g.RunTicks += ran
	c.area.HostTicks += ran - (c.area.GuestTicks - guestTicks)
	return v
}

// loop enters the guest until a verdict is due.
func (c *vcpuMem) loop(p *perCPU) nucleus.Verdict {
	if c.again != 0 {
		c.again = 0
		v, stop := c.handle()
		c.resumeLen = 0
		if stop {
			return v
		}
	}
	for {
		if nucleus.PreemptOn(p.words()) {
			return nucleus.VerdictPreempt
		}
		// A wake-up that comes after this line forces an exit or is seen by
		// the nucleus when it blocks the guest; one from before is about
		// something that prepare looks at below.
		c.guest.Seen()
		if v, stop := c.prepare(); stop {
			return v
		}
		if c.rearm != 0 {
			c.rearm = 0
			c.guest.Arm()
		}
		if c.loaded == 0 {
			c.loadFPU(p)
			if c.vmcb.Save.DR7&x86.DR7Enable != 0 {
				c.loadDR() // breakpoints are on
			}
		}
		c.noteShadow()
		c.useASID(&p.asid, p.number)
		enter(c)
		nucleus.AfterExit()
		c.afterExit()
		switch ExitCode(c.vmcb.Control.ExitCode) {
		case ExitINTR, ExitNMI, ExitSMI, ExitINIT:
			c.count(vcpu.KindExtInt)
			nucleus.TakeInterrupts()
			continue
		case ExitIOIO: // the most frequent exit that needs Go
			if c.step.on == 0 {
				c.reason = reasonExit
				return nucleus.VerdictExit
			}
		}
		if v, stop := c.handle(); stop {
			return v
		}
	}
}

// beginTurn prepares the vCPU for the CPU that it is on now.
func (c *vcpuMem) beginTurn(p *perCPU) {
	c.hostPA = p.hostVMCB
	if p.lastVCPU != c.id {
		// The branch predictors are another guest's.
		if c.features&featureIBPB != 0 && p.lastVCPU != 0 {
			reg.WriteMSR(x86.MSRPredCmd, predCmdIBPB)
		}
		if c.features&featureFXLeak != 0 {
			forgetFPUPointers() // so were those of the x87
		}
		p.lastVCPU = c.id
	}
	if c.asid.cpu != p.number { // this CPU has cached no field of the VMCB
		c.vmcb.Control.Clean = 0
		c.busy = 1
		if c.area.GuestTicks != 0 {
			c.area.Moves++
		}
	}
	if c.features&featureRDTSCP != 0 && p.tscAux != c.tscAux {
		reg.WriteMSR(x86.MSRTSCAux, c.tscAux)
		p.tscAux = c.tscAux
	}
	if c.features&featureTSCRatio != 0 {
		c.useTSCRatio(p)
	}
}

// predCmdIBPB is PRED_CMD's indirect branch prediction barrier.
const predCmdIBPB = 1 << 0

// useASID gives the entry a valid address space identifier. Nothing may come
// between it and the entry: a flush that TLB_CONTROL asks for here protects
// the identifiers that other vCPUs get later.
func (c *vcpuMem) useASID(cpu *cpuASID, number uint32) {
	ctl := &c.vmcb.Control
	if g := c.area.VMArea().Stage2Generation.Load(); g != c.ack.Load() {
		c.ack.Store(g)
		c.asid.asid = 0
	}
	if cpu.valid(&c.asid, number) {
		return
	}
	ctl.TLBControl = cpu.take(&c.asid, number)
	ctl.GuestASID = c.asid.asid
	ctl.dirty(CleanASID)
}

// prepare decides what the guest finds when it is entered, or that it is not.
// After most exits that end here nothing has changed since the last entry:
// then only what other CPUs and time change is looked at.
func (c *vcpuMem) prepare() (nucleus.Verdict, bool) {
	a := &c.area
	if c.busy == 0 && a.Request.Load()|a.PendingIRQ.Load()|a.ExtINT.Load() == 0 && !c.timeDue() &&
		c.vmcb.Control.TSCOffset == a.TSCOffset {
		return 0, false
	}
	return c.prepareAll()
}

// timeDue tells whether the timer or the deadline have come or changed.
func (c *vcpuMem) timeDue() bool {
	wake := c.guest.WakeTSC
	return wake != 0 && c.now >= wake || c.area.VMArea().RunUntil.Load() != c.until
}

// prepareAll is prepare without the short cut. It leaves busy set where the
// next entry differs from this one without a cause that sets it.
func (c *vcpuMem) prepareAll() (nucleus.Verdict, bool) {
	a := &c.area
	c.busy = 1
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
	if a.Activity != uint32(x86.ActivityRunning) && !c.wakes() {
		return nucleus.VerdictHalt, true
	}
	if c.nmi.pending != 0 {
		c.takeNMI()
	}
	if c.pullInterrupts() {
		return nucleus.VerdictExit, true
	}
	c.loadTPR()
	if off := a.TSCOffset; c.vmcb.Control.TSCOffset != off {
		c.vmcb.Control.TSCOffset = off
		c.vmcb.Control.dirty(CleanI)
	}
	c.loadEvent()
	ctl := &c.vmcb.Control
	if ctl.EventInj == 0 && c.nmi == (nmiState{}) && c.step.on == 0 && c.window == 0 &&
		ctl.VIntr&windowBits == 0 && ctl.InterceptCRWrite == 0 {
		c.busy = 0
	}
	return 0, false
}

// takeRequests serves what other CPUs asked for. It reports true if Go has to
// act; what it has not looked at then stays for the next time.
func (c *vcpuMem) takeRequests() (toGo bool) {
	a := &c.area
	waits := a.Activity == uint32(x86.ActivityWaitSIPI)
	if c.taken(vcpu.RequestFlush) {
		c.asid.asid = 0
	}
	if c.taken(vcpu.RequestNMI) {
		c.nmi.pending = 1
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
	c.rearm = 1
	return false
}

// wakes tells whether a halted vCPU goes on, and makes it go on.
func (c *vcpuMem) wakes() bool {
	a := &c.area
	if a.Activity != uint32(x86.ActivityHalted) {
		return false // waits for INIT or a start-up IPI
	}
	s := &c.vmcb.Save
	wake := c.event != 0 || c.nmi.pending != 0 && !c.nmi.masked(s.RIP)
	if !wake && s.RFLAGS&x86.FlagIF != 0 {
		_, irq := apic.Pending(a)
		wake = irq || apic.ExtINT(a) || c.window != 0
	}
	if wake {
		a.Activity = uint32(x86.ActivityRunning)
	}
	return wake
}

// afterExit puts the results of an entry where they belong.
func (c *vcpuMem) afterExit() {
	ctl := &c.vmcb.Control
	c.now = c.left
	c.area.GuestTicks += c.left - c.entered
	ctl.TLBControl = TLBDoNothing
	if c.features&featureClean != 0 {
		ctl.Clean = cleanAll
	}
	if c.shadowAt == c.vmcb.Save.RIP && ExitCode(ctl.ExitCode) != ExitExcp+x86.VectorDB {
		ctl.InterruptShadow |= ShadowActive
	}
	if c.step.on != 0 && ExitCode(ctl.ExitCode) != ExitExcp+x86.VectorDB {
		c.endStep(false)
	}
	cut := c.offered != offerNone && c.settleOffer()
	if ctl.ExitIntInfo&EventV != 0 && !cut {
		c.takeBack()
	}
	if c.foreign != 0 {
		c.mendCode64()
	}
	c.syncTPR()
}

// mendCode64 clears D of 64-bit code, with which VMRUN refuses the guest. No AMD
// processor sets it, but QEMU's executes SYSENTER in compatibility mode, where
// AMD's have #UD, and leaves D and L set.
func (c *vcpuMem) mendCode64() {
	const both = attribL | attribDB
	if cs := &c.vmcb.Save.CS; cs.Attrib&both == both {
		cs.Attrib &^= attribDB
		c.vmcb.Control.dirty(CleanSEG)
	}
}
