package svm

// This file is part of the loop in the nucleus.

// cpuASID hands out the address space identifiers of one CPU (APM volume 2,
// section 15.16 "TLB Control"). ASID 0 is the host's. Identifiers are used
// once per generation; when they run out a new generation begins with a flush
// of the whole TLB. So a new identifier never finds old translations, and to
// drop a guest's translations it is enough to give it a new one.
type cpuASID struct {
	generation uint64
	next       uint32
	max        uint32 // highest identifier
}

// guestASID is what a vCPU got last.
type guestASID struct {
	cpu        uint32
	asid       uint32
	generation uint64
}

// initASID prepares a CPU with n identifiers, the host's included. The first
// generation is 1, so that a zeroed guestASID fits none.
func (p *cpuASID) initASID(n uint32) {
	*p = cpuASID{generation: 1, next: 1, max: n - 1}
}

// valid tells whether the identifier in g may be used on CPU cpu.
func (p *cpuASID) valid(g *guestASID, cpu uint32) bool {
	return g.cpu == cpu && g.generation == p.generation && g.asid != 0
}

// take gives g a fresh identifier on CPU cpu and returns the TLB_CONTROL value
// that the next VMRUN needs.
func (p *cpuASID) take(g *guestASID, cpu uint32) (tlbControl uint32) {
	if p.next > p.max {
		p.generation++
		p.next = 1
		tlbControl = TLBFlushAll
	}
	*g = guestASID{cpu: cpu, asid: p.next, generation: p.generation}
	p.next++
	return tlbControl
}
