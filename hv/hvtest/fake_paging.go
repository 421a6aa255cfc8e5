package hvtest

import "ringo/hv/vcpu"

// Paging implements vcpu.Pager.
func (v *fakeCPU) Paging(p *vcpu.Paging) {
	v.s.RFLAGS = v.area.RFLAGS
	p.Set(&v.s)
	p.Plain = v.pending.Type == vcpu.EventNone && v.queued.Type == vcpu.EventNone &&
		!v.s.Interrupt.STIShadow && !v.s.Interrupt.MovSSShadow
}
