package hv

import (
	"ringo/hv/msr"
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// readMSR serves RDMSR; Run completes it with Data.
func (c *cpu) readMSR(e *vcpu.Exit) bool {
	v, r := c.readRegister(e.MSR)
	if r == msr.OK {
		e.Data = v
		return true
	}
	if r == msr.Unknown {
		c.board.noteUnknown(c.id, e.MSR, false, 0)
	}
	return c.raiseGP(e)
}

// writeMSR serves WRMSR; Run steps over it.
func (c *cpu) writeMSR(e *vcpu.Exit) bool {
	r := c.writeRegister(e.MSR, e.Data)
	if r == msr.OK {
		return true
	}
	if r == msr.Unknown {
		c.board.noteUnknown(c.id, e.MSR, true, e.Data)
	}
	return c.raiseGP(e)
}

// noteUnknown counts an access to a register that does not exist, and logs
// it now and then.
func (b *board) noteUnknown(id, number uint32, write bool, v uint64) {
	count, log := b.unknown.Note(number, write)
	switch {
	case !log:
	case write:
		b.vm.host.Log("VM %s: vCPU %d: WRMSR %#x = %#x: no such register, #GP (%d times)", b.vm.cfg.Name, id, number, v, count)
	default:
		b.vm.host.Log("VM %s: vCPU %d: RDMSR %#x: no such register, #GP (%d times)", b.vm.cfg.Name, id, number, count)
	}
}

func (c *cpu) readRegister(number uint32) (uint64, msr.Result) {
	if msr.IsX2APIC(number) {
		v, ok := c.lapic.ReadMSR(number)
		return v, okOrFault(ok)
	}
	v, r := c.msrs.Read(number)
	if r != msr.IsLive {
		return v, r
	}
	switch number {
	case x86.MSRTSC:
		return c.area.GuestTSC(c.tsc()), msr.OK
	case x86.MSRTSCAdjust:
		return c.area.TSCAdjust, msr.OK
	case x86.MSRAPICBase, x86.MSRTSCDeadline:
		v, ok := c.lapic.ReadMSR(number)
		return v, okOrFault(ok)
	}
	if s := findStateMSR(number); s != nil {
		return *s.field(c.store(s.group)), msr.OK
	}
	v, ok := c.board.parts.clock.ReadMSR(c.id, number)
	return v, okOrFault(ok)
}

func (c *cpu) writeRegister(number uint32, v uint64) msr.Result {
	if msr.IsX2APIC(number) {
		return okOrFault(c.lapic.WriteMSR(number, v))
	}
	if r := c.msrs.Write(number, v); r != msr.IsLive {
		return r
	}
	switch number {
	case x86.MSRTSC:
		return okOrFault(c.moveTSC(v - c.area.GuestTSC(c.tsc())))
	case x86.MSRTSCAdjust:
		return okOrFault(c.moveTSC(v - c.area.TSCAdjust))
	case x86.MSRAPICBase, x86.MSRTSCDeadline:
		return okOrFault(c.lapic.WriteMSR(number, v))
	case x86.MSREFER:
		return c.writeEFER(v)
	}
	if s := findStateMSR(number); s != nil {
		if s.valid != nil && !s.valid(c, v) {
			return msr.Fault
		}
		*s.field(c.store(s.group)) = v
		c.load(s.group)
		return msr.OK
	}
	return okOrFault(c.board.parts.clock.WriteMSR(c.id, number, v))
}

func okOrFault(ok bool) msr.Result {
	if ok {
		return msr.OK
	}
	return msr.Fault
}

// tsc reads the host's time stamp counter.
func (c *cpu) tsc() uint64 { return c.board.vm.host.TSC() }

// moveTSC moves the guest's TSC by delta, which IA32_TSC_ADJUST adds up (SDM
// volume 3B, section 18.17.3 "Time-Stamp Counter Adjustment"). What counts by
// the TSC follows.
func (c *cpu) moveTSC(delta uint64) bool {
	c.area.TSCAdjust += delta
	c.area.TSCOffset += delta
	apic.OffsetChanged(c.area, c.tsc())
	return c.board.parts.clock.Update(c.id) == nil
}

// writeEFER checks what WRMSR to EFER checks (APM volume 2, section 3.1.7
// "Extended Feature Enable Register (EFER)"). LMA follows LME and CR0.PG and
// is not changed by a write.
func (c *cpu) writeEFER(v uint64) msr.Result {
	s := c.store(x86.GroupCR)
	if v&^c.board.efer != 0 || s.CR0&x86.CR0PG != 0 && (v^s.EFER)&x86.EFERLME != 0 {
		return msr.Fault
	}
	s.EFER = v&^x86.EFERLMA | s.EFER&x86.EFERLMA
	c.load(x86.GroupCR)
	return msr.OK
}

// validEFER is the set of bits that the guest may write to EFER.
func (b *board) validEFER() uint64 {
	v := uint64(x86.EFERSCE)
	for _, f := range []struct {
		name string
		bits uint64
	}{
		{"lm", x86.EFERLME | x86.EFERLMA},
		{"nx", x86.EFERNXE},
		{"fxsr_opt", x86.EFERFFXSR},
	} {
		if b.policy.Has(f.name) {
			v |= f.bits
		}
	}
	return v
}
