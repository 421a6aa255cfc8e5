package vmx

// This file is part of the loop in the nucleus: page-modification logging (SDM
// volume 3C, section 29.3.6). The processor stores the address of each page
// whose dirty flag it sets in the vCPU's log, from the last entry down. The Go
// side (writelog.go) empties the log; here it is turned on and off, and its
// index, which only the CPU with the VMCS can read, is published.

// logEntries are the entries of a page-modification log.
const logEntries = pageSize / 8

// syncLog brings the log in line with what the Go side wants. useTLB calls it:
// whoever wants a change makes the translations out of date first.
func (c *vcpuMem) syncLog() {
	if want := c.wantLog.Load(); want != c.logging {
		c.logging, c.emptied = want, 1
		vmwrite(uint64(FieldPMLAddress), c.logPA)
		c.setSecondary(SecondaryPML, want != 0)
	}
	switch {
	case c.logging == 0:
	case c.emptied != 0:
		c.emptied = 0
		vmwrite(uint64(FieldGuestPMLIndex), logEntries-1)
		c.publish(logEntries - 1)
	default:
		c.publishLog()
	}
}

// setSecondary sets or clears a secondary control beside those of the virtual
// APIC.
func (c *vcpuMem) setSecondary(bit uint32, on bool) {
	c.controls.secondary &^= bit
	if on {
		c.controls.secondary |= bit
	}
	secondary := c.controls.secondary
	if c.virtualIn != 0 {
		secondary |= virtualAPIC
	}
	vmwrite(uint64(FieldSecondaryControls), uint64(secondary))
}

// publishLog tells the Go side how far the log is filled. A log that Go has
// emptied is so although the processor's index does not say it yet.
func (c *vcpuMem) publishLog() {
	if c.emptied == 0 {
		c.publish(vmread(uint64(FieldGuestPMLIndex)))
	}
}

// publish puts the number of the log beside its index, so that nobody takes an
// earlier log's index for that of the present one.
func (c *vcpuMem) publish(index uint64) { c.logIndex.Store(uint64(c.logging)<<16 | index&0xFFFF) }
