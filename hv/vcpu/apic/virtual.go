package apic

// This file serves processors that work on the APIC page by themselves: they
// take interrupts from IRR to ISR, and end them (SDM volume 3C, chapter 30
// "APIC Virtualization and Virtual Interrupts").

import "ringo/hv/vcpu"

// Virtualizable says whether such a processor may have the APIC: it is in
// x2APIC mode and enabled by software. A processor would deliver to a disabled
// one as well.
func Virtualizable(a *vcpu.Area) bool {
	return X2APIC(a) && reg(a, vcpu.APICSVR)&svrEnable != 0
}

// ReadsPlain says whether RDMSR of register r in x2APIC mode gives the first
// eight bytes of the register on the page and does nothing else.
func ReadsPlain(r uint32) bool {
	const computed = xAPICOnly | 1<<vcpu.APICICR | 1<<vcpu.APICCurCount | 1<<vcpu.APICESR
	return r < numRegs && uint64(readable&^computed)>>r&1 != 0
}

// Gather moves what other CPUs have posted into IRR and gives the highest
// interrupt there, 0 for none, and whether TMR has changed since the last time.
// From here PendingIRQ says only what comes later.
func Gather(a *vcpu.Area) (requested uint8, triggers bool) {
	collect(a)
	marks := a.PendingIRQ.And(^uint32(inIRR | newTMR))
	return uint8(max(highest(a, vcpu.APICIRR, lastWord), 0)), marks&newTMR != 0
}

// InService is the highest interrupt in service, 0 for none.
func InService(a *vcpu.Area) uint8 { return uint8(max(highest(a, vcpu.APICISR, lastWord), 0)) }

// Scatter ends the time of the processor: Pending looks at IRR again.
func Scatter(a *vcpu.Area) { a.PendingIRQ.Or(inIRR) }

// Requested is Pending after Gather, which leaves no mark in PendingIRQ.
func Requested(a *vcpu.Area) bool {
	v := highest(a, vcpu.APICIRR, lastWord)
	return v >= 0 && uint32(v)>>4 > *a.APIC.Reg(vcpu.APICPPR)>>4
}

// Waiting moves what other CPUs have posted into IRR and tells how many
// interrupts are there: 0, 1, or 2 for more.
func Waiting(a *vcpu.Area) int {
	collect(a)
	n := 0
	for i := uint32(0); i <= lastWord && n < 2; i++ {
		w := *a.APIC.Reg(vcpu.APICIRR + i)
		if w != 0 {
			n++
		}
		if w&(w-1) != 0 {
			n = 2
		}
	}
	return n
}
