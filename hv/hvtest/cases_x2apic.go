package hvtest

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
	"ringo/x86/asm"
)

// Cases of a guest that uses its APIC by MSRs. Whether the processor serves an
// access or the loop does is the backend's matter: what comes of it is the
// same.

// useX2APIC puts the APIC in x2APIC mode if the case asks for it.
func (r *rig) useX2APIC() {
	if r.x2apic {
		apic.WriteBase(r.area(), x86.APICBaseDefault|x86.APICBaseEnable|x86.APICBaseX2APIC|x86.APICBaseBSP, r.env.TSC())
	}
}

// wrmsr writes an APIC register from the guest.
func wrmsr(a *asm.Asm, reg, value int64) {
	a.Mov(asm.ECX, asm.Imm(x86.MSRx2APICBase+reg))
	a.Mov(asm.EAX, asm.Imm(value))
	a.Xor(asm.EDX, asm.EDX)
	a.Wrmsr()
}

// rdmsr reads one into EAX.
func rdmsr(a *asm.Asm, reg int64) {
	a.Mov(asm.ECX, asm.Imm(x86.MSRx2APICBase+reg))
	a.Rdmsr()
}

// reachedMSR is reached for a guest whose accesses to APIC registers may come
// out.
func (r *rig) reachedMSR(n uint8) {
	r.t.Helper()
	for {
		e := r.run(0)
		switch e.Kind {
		case vcpu.KindWRMSR:
			r.writeAPIC(e)
		case vcpu.KindRDMSR:
			v, ok := apic.ReadMSR(r.area(), e.MSR, r.env.TSC())
			if e.Data = v; !ok {
				r.faultMSR(e)
			}
		default:
			want(r, "exit", e.Kind, vcpu.KindPIO)
			want(r, "mark", uint8(e.Data), n)
			return
		}
	}
}

func (r *rig) writeAPIC(e *vcpu.Exit) {
	act := apic.WriteMSR(r.area(), e.MSR, e.Data, r.env.TSC())
	switch {
	case act&apic.ActionGP != 0:
		r.faultMSR(e)
	case act&apic.ActionIPI != 0:
		apic.Send(r.vm.Area(), r.area(), apic.ICR(r.area()), func(*vcpu.Area) {})
	}
}

// faultMSR refuses an access.
func (r *rig) faultMSR(e *vcpu.Exit) {
	e.Emulated = true
	r.must(r.cpus[0].Inject(vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorGP, HasError: true}), "Inject")
}

// x2apicRegisters: what the guest writes it reads, the self-IPI registers make
// interrupts, and each ends with its EOI.
func x2apicRegisters(r *rig) {
	const first, second = 0x21, 0x2A
	const icrSelf = 1<<18 | 1<<14
	r.x2apic = true
	r.start(mode64, func(a *asm.Asm) {
		wrmsr(a, vcpu.APICTPR, 0x35)
		rdmsr(a, vcpu.APICTPR)
		a.Mov(asm.EBX, asm.EAX)
		rdmsr(a, vcpu.APICPPR)
		a.Mov(asm.ESI, asm.EAX)
		wrmsr(a, vcpu.APICTPR, 0)
		wrmsr(a, vcpu.APICSelfIPI, first)
		wrmsr(a, vcpu.APICICR, icrSelf|second)
		rdmsr(a, vcpu.APICIRR+1)
		a.Mov(asm.EDI, asm.EAX)
		mark(a, 1)
		a.Sti()
		a.Nop()
		mark(a, 2)
		rdmsr(a, vcpu.APICISR+1)
		a.Mov(asm.EBX, asm.EAX)
		wrmsr(a, vcpu.APICEOI, 0)
		a.Nop()
		mark(a, 3)
		wrmsr(a, vcpu.APICEOI, 0)
		rdmsr(a, vcpu.APICISR+1)
		a.Mov(asm.EBX, asm.EAX)
		wrmsr(a, vcpu.APICSelfIPI, 5) // no vector of an interrupt
		wrmsr(a, vcpu.APICESR, 0)
		rdmsr(a, vcpu.APICESR)
		a.Mov(asm.ESI, asm.EAX)
		rdmsr(a, vcpu.APICID)
		a.Mov(asm.EDI, asm.EAX)
		mark(a, 4)
	})
	r.enableAPIC()
	r.reachedMSR(1)
	gpr := &r.area().GPR
	want(r, "TPR", gpr[x86.RBX], 0x35)
	want(r, "PPR", gpr[x86.RSI], 0x35)
	want(r, "IRR", gpr[x86.RDI], 1<<(first%32)|1<<(second%32))
	r.reachedMSR(2)
	want(r, "interrupts taken, higher vector", r.count(second), 1)
	want(r, "interrupts taken, lower vector before EOI", r.count(first), 0)
	r.reachedMSR(3)
	want(r, "ISR", gpr[x86.RBX], 1<<(second%32))
	want(r, "interrupts taken, lower vector", r.count(first), 1)
	r.reachedMSR(4)
	want(r, "ISR after both EOIs", gpr[x86.RBX], 0)
	want(r, "ESR", gpr[x86.RSI], 1<<5)
	want(r, "APIC ID", gpr[x86.RDI], uint64(r.area().ID))
}

// x2apicLevel: the end of a level-triggered interrupt is told, that of an
// edge-triggered one is not.
func x2apicLevel(r *rig) {
	const level, edge = 0x25, 0x2B
	r.x2apic = true
	r.start(mode64, func(a *asm.Asm) {
		a.Sti()
		a.Nop()
		mark(a, 1)
		wrmsr(a, vcpu.APICEOI, 0)
		mark(a, 2)
		wrmsr(a, vcpu.APICEOI, 0)
		mark(a, 3)
	})
	r.enableAPIC()
	apic.SetIRR(r.area(), edge, false)
	apic.SetIRR(r.area(), level, true)
	r.reachedMSR(1)
	r.reachedMSR(2)
	want(r, "interrupts taken, level-triggered", r.count(level), 1)
	r.wantEOI(level)
	r.reachedMSR(3)
	want(r, "interrupts taken, edge-triggered", r.count(edge), 1)
}

// wantEOI expects the guest to end a level-triggered interrupt.
func (r *rig) wantEOI(vector uint64) {
	r.t.Helper()
	e := r.run(0)
	if e.Kind == vcpu.KindWRMSR {
		act := apic.WriteMSR(r.area(), e.MSR, e.Data, r.env.TSC())
		want(r, "action of the EOI", act&(apic.ActionEOI|0xFF), apic.ActionEOI|apic.Action(vector))
		return
	}
	want(r, "exit", e.Kind, vcpu.KindEOI)
	want(r, "vector of the EOI", e.Data, vector)
}

// x2apicDisabled: an APIC that software has disabled takes no interrupt.
func x2apicDisabled(r *rig) {
	r.x2apic = true
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		wrmsr(a, vcpu.APICSVR, 0xFF)
		wrmsr(a, vcpu.APICSelfIPI, vector)
		a.Sti()
		a.Nop()
		mark(a, 2)
	})
	r.enableAPIC()
	r.reachedMSR(1)
	r.reachedMSR(2)
	want(r, "interrupts taken", r.count(vector), 0)
}

// x2apicSwitch: interrupts in service and requested stay when software disables
// and enables the APIC, and when the owner of the vCPU has looked at it.
func x2apicSwitch(r *rig) {
	const low, high = 0x22, 0x2C
	r.x2apic = true
	r.start(mode64, func(a *asm.Asm) {
		a.Sti()
		a.Nop()
		mark(a, 1)
		wrmsr(a, vcpu.APICSVR, 0xFF)
		wrmsr(a, vcpu.APICSVR, 0x1FF)
		a.Nop()
		mark(a, 2)
		wrmsr(a, vcpu.APICEOI, 0)
		a.Nop()
		mark(a, 3)
	})
	r.enableAPIC()
	apic.SetIRR(r.area(), high, false)
	apic.SetIRR(r.area(), low, false)
	r.reachedMSR(1)
	want(r, "interrupts taken", r.count(high), 1)
	var regs [apic.StateRegs]uint32
	errors := apic.Export(r.area(), &regs)
	want(r, "ISR of the saved state", regs[vcpu.APICISR+high/32], 1<<(high%32))
	want(r, "IRR of the saved state", regs[vcpu.APICIRR+low/32], 1<<(low%32))
	want(r, "the state can be loaded", apic.Import(r.area(), r.area().APICBase, &regs, errors), true)
	r.must(r.cpus[0].Load(0, new(x86.State)), "Load")
	r.reachedMSR(2)
	want(r, "interrupts taken in the class of one in service", r.count(low), 0)
	r.reachedMSR(3)
	want(r, "interrupts taken after EOI", r.count(low), 1)
}

// linger keeps the guest busy, with interrupts disabled, for longer than the
// host leaves it alone. It disables them again and again, as nested critical
// sections do.
func linger(a *asm.Asm) {
	a.Mov(asm.ECX, asm.Imm(100_000))
	a.Label("linger")
	a.Cli()
	a.Dec(asm.ECX)
	a.JccShort(asm.NE, "linger")
}

// x2apicClosedEOI: an interrupt that becomes due while the guest has interrupts
// disabled, because the one before it ends, waits until it enables them,
// whatever the host's interrupts do meanwhile. The guest disables them by
// itself: it is not entered so.
func x2apicClosedEOI(r *rig) {
	const low, high = 0x22, 0x2C // one class
	r.x2apic = true
	r.start(mode64, func(a *asm.Asm) {
		a.Sti()
		a.Nop()
		mark(a, 1)
		a.Nop()
		a.Cli()
		wrmsr(a, vcpu.APICEOI, 0)
		linger(a)
		mark(a, 2)
		a.Sti()
		a.Nop()
		mark(a, 3)
	})
	r.enableAPIC()
	r.reachedMSR(1)
	apic.SetIRR(r.area(), high, false)
	apic.SetIRR(r.area(), low, false)
	r.reachedMSR(2)
	want(r, "interrupts taken, higher vector", r.count(high), 1)
	want(r, "interrupts taken with IF clear", r.count(low), 0)
	r.reachedMSR(3)
	want(r, "interrupts taken, lower vector", r.count(low), 1)
}

// x2apicClosedSelf: the same of one that the guest sends to itself.
func x2apicClosedSelf(r *rig) {
	r.x2apic = true
	r.start(mode64, func(a *asm.Asm) {
		a.Sti()
		a.Nop()
		mark(a, 1)
		a.Cli()
		wrmsr(a, vcpu.APICSelfIPI, vector)
		linger(a)
		mark(a, 2)
		a.Sti()
		a.Nop()
		mark(a, 3)
	})
	r.enableAPIC()
	r.reachedMSR(1)
	r.reachedMSR(2)
	want(r, "interrupts taken with IF clear", r.count(vector), 0)
	r.reachedMSR(3)
	want(r, "interrupts taken", r.count(vector), 1)
}

// x2apicClosedCLI: the same of one that waits when the guest is entered.
func x2apicClosedCLI(r *rig) {
	r.x2apic = true
	r.start(mode64, func(a *asm.Asm) {
		linger(a)
		mark(a, 1)
		a.Sti()
		a.Nop()
		mark(a, 2)
	})
	r.enableAPIC()
	apic.SetIRR(r.area(), vector, false)
	r.reachedMSR(1)
	want(r, "interrupts taken with IF clear", r.count(vector), 0)
	r.reachedMSR(2)
	want(r, "interrupts taken", r.count(vector), 1)
}
