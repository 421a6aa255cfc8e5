package hv

import (
	"ringo/hv/vcpu"
	"ringo/x86"
)

// setPager finds out how the vCPU tells its Paging.
func (c *cpu) setPager() {
	if p, ok := c.v.(vcpu.Pager); ok {
		c.pager = p
		return
	}
	c.pager = storePager{c}
}

// look is the vCPU's Paging now.
func (c *cpu) look() *vcpu.Paging {
	c.pager.Paging(&c.paging)
	return &c.paging
}

// storePager is the Pager of a backend that is none.
type storePager struct{ c *cpu }

// Paging implements vcpu.Pager.
func (s storePager) Paging(p *vcpu.Paging) {
	state := s.c.store(x86.GroupIP | x86.GroupCR | x86.GroupSeg | x86.GroupInterrupt)
	p.Set(state)
	_, event := s.c.v.Pending()
	p.Plain = !event && !state.Interrupt.STIShadow && !state.Interrupt.MovSSShadow
}
