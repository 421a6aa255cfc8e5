package vmx

// This file is part of the loop in the nucleus: translations that the CPU has
// cached (SDM volume 3C, section 29.4 "Caching Translation Information").
//
// With EPT the processor caches guest-physical translations, tagged with the
// EPT pointer, and combined ones, tagged with the VPID as well. VMs differ by
// the pointer, the vCPUs of one VM by the VPID. INVEPT drops both kinds, which
// is right when the stage-2 table has changed, and when the vCPU comes from
// another CPU: the pointer may be that of a VM that is gone, and what the guest
// has invalidated was on the other CPU. When only the guest's own translations
// must go, INVVPID drops those of the vCPU. Without VPID nothing has to be done
// then, because VM entries and exits drop them.

// Types of INVEPT and INVVPID (sections 31.3 "VMX Instructions", INVEPT and
// INVVPID).
const (
	inveptSingle  = 1
	inveptAll     = 2
	invvpidSingle = 1
	invvpidAll    = 2
)

// tlbStale in vcpuHead.tlbOf asks for the end of the guest's own translations.
const tlbStale = 1 << 31

// flushTLB makes the next entry drop the guest's own translations.
func (c *vcpuMem) flushTLB() {
	if c.controls.secondary&SecondaryVPID != 0 {
		c.tlbOf |= tlbStale
	}
}

// useTLB makes the CPU's translations fit for an entry. g is the generation of
// the stage-2 table.
func (c *vcpuMem) useTLB(p *perCPU, g uint64) {
	if c.wantLog.Load()|c.logging != 0 {
		c.syncLog()
	}
	vpid := c.onlyVPID(p.number+1, g)
	c.tlbOf = p.number + 1
	c.ack.Store(g)
	if vpid {
		how := uint64(invvpidAll)
		if c.features&featureINVVPIDSingle != 0 {
			how = invvpidSingle
		}
		invvpid(how, &[2]uint64{uint64(c.vpid), 0})
		return
	}
	how := uint64(inveptAll)
	if c.features&featureINVEPTSingle != 0 {
		how = inveptSingle
	}
	invept(how, &[2]uint64{c.eptp, 0})
}

// onlyVPID tells whether INVVPID is enough: on CPU here, less 1, nothing but
// the guest's own translations is out of date.
func (c *vcpuMem) onlyVPID(here uint32, g uint64) bool {
	return c.tlbOf == here|tlbStale && g == c.ack.Load() && c.features&(featureINVVPIDSingle|featureINVVPIDAll) != 0
}
