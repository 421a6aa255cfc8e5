package hv

import (
	"encoding/binary"
	"fmt"

	"ringo/hv/msr"
	"ringo/hv/vcpu"
	"ringo/snapshot"
	"ringo/x86"
)

var schemaCPU = snapshot.Schema{Name: "vcpu", Version: 1}

// cpuState is a vCPU that saves itself. Its local APIC is a device.
type cpuState cpu

// name is the instance's name in a snapshot.
func (c *cpu) name() string { return fmt.Sprintf("vcpu%d", c.id) }

// Schema implements snapshot.Snapshotter.
func (c *cpuState) Schema() snapshot.Schema { return schemaCPU }

// Save implements snapshot.Snapshotter.
func (c *cpuState) Save(e *snapshot.Encoder) error {
	c.state.PDPTE = [4]uint64{} // AMD-V keeps none: the receiver reads them
	s := (*cpu)(c).store(x86.GroupAll)
	s.TSC = c.area.GuestTSC(c.board.stopTSC) // it stands still while paused
	saveState(e, s)
	e.Uint64("tsc-adjust", c.area.TSCAdjust)
	values := c.msrs.Values()
	flat := make([]uint64, 0, 2*len(values))
	for _, v := range values {
		flat = append(flat, uint64(v.Number), v.Value)
	}
	e.Uint32("msrs", uint32(len(values)))
	e.Uint64s("msr-values", flat)
	ev, _ := c.v.Pending()
	saveEvent(e, &ev)
	return e.Err()
}

// Restore implements snapshot.Snapshotter.
func (c *cpuState) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if err := from.Require(schemaCPU); err != nil {
		return err
	}
	s := new(x86.State)
	restoreState(d, s)
	adjust := d.Uint64("tsc-adjust")
	n := d.Uint32("msrs")
	if n > uint32(len(msr.Registers)) {
		d.Refuse("msrs", "%d registers, this build has %d", n, len(msr.Registers))
		return d.Err()
	}
	flat := make([]uint64, 2*n)
	d.Uint64s("msr-values", flat)
	ev := restoreEvent(d)
	if err := d.Done(); err != nil {
		return err
	}
	if err := c.check(s); err != nil {
		return err
	}
	for i := 0; i+1 < len(flat); i += 2 {
		if flat[i]>>32 != 0 || c.msrs.Write(uint32(flat[i]), flat[i+1]) != msr.OK {
			return fmt.Errorf("%w: MSR %#x does not take %#x", snapshot.ErrField, flat[i], flat[i+1])
		}
	}
	return c.enter(s, adjust, ev)
}

// enter gives the vCPU a state that was checked.
func (c *cpuState) enter(s *x86.State, adjust uint64, ev vcpu.Event) error {
	if err := c.v.Load(x86.GroupAll, s); err != nil {
		return err
	}
	c.area.TSCAdjust = adjust
	c.area.SetGuestTSC(s.TSC, c.board.stopTSC)
	if ev.Type == vcpu.EventNone {
		return nil
	}
	return c.v.Inject(ev)
}

// check refuses what a processor would not take back without harm to the host:
// XRSTOR of a bad image faults in the host.
func (c *cpuState) check(s *x86.State) error {
	h := s.XSAVE[x86.XSaveHeader:x86.XSaveLegacy]
	have := binary.LittleEndian.Uint64(h)
	mxcsr := binary.LittleEndian.Uint32(s.XSAVE[x86.XSaveMXCSR:])
	switch {
	case !x86.ValidXCR0(s.XCR0, c.board.policy.XCR0()), have&^(s.XCR0|x86.XCR0X87|x86.XCR0SSE) != 0:
		return fmt.Errorf("%w: XCR0 %#x with XSTATE_BV %#x; this VM has components %#x",
			snapshot.ErrField, s.XCR0, have, c.board.policy.XCR0())
	case mxcsr&^0xFFFF != 0:
		return fmt.Errorf("%w: MXCSR %#x has reserved bits", snapshot.ErrField, mxcsr)
	case s.Activity > x86.ActivityShutdown, s.CPL > 3, s.XSS != 0:
		return fmt.Errorf("%w: activity %d, CPL %d, XSS %#x", snapshot.ErrField, s.Activity, s.CPL, s.XSS)
	}
	for _, b := range h[8:] {
		if b != 0 {
			return fmt.Errorf("%w: the XSAVE header has reserved bits or the compacted form", snapshot.ErrField)
		}
	}
	return c.checkMSRs(s)
}

// checkMSRs refuses values that WRMSR would refuse the guest: a backend that
// makes them live would fault on them in the host. Only 32 bits of SFMASK
// exist; what AMD's processors may hold above them means nothing.
func (c *cpuState) checkMSRs(s *x86.State) error {
	s.SFMASK &= 0xFFFF_FFFF
	for _, m := range stateMSRs {
		if v := *m.field(s); m.valid != nil && !m.valid((*cpu)(c), v) {
			return fmt.Errorf("%w: MSR %s does not take %#x", snapshot.ErrField, msr.Name(m.number), v)
		}
	}
	return nil
}

func saveEvent(e *snapshot.Encoder, ev *vcpu.Event) {
	e.Uint8("event-type", uint8(ev.Type))
	e.Uint8("event-vector", ev.Vector)
	e.Bool("event-has-error", ev.HasError)
	e.Uint32("event-error", ev.ErrorCode)
	e.Uint64("event-cr2", ev.CR2)
	e.Uint8("event-length", ev.Len)
}

func restoreEvent(d *snapshot.Decoder) vcpu.Event {
	return vcpu.Event{
		Type:      vcpu.EventType(d.Uint8("event-type")),
		Vector:    d.Uint8("event-vector"),
		HasError:  d.Bool("event-has-error"),
		ErrorCode: d.Uint32("event-error"),
		CR2:       d.Uint64("event-cr2"),
		Len:       d.Uint8("event-length"),
	}
}
