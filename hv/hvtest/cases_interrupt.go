package hvtest

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
	"ringo/x86/asm"
)

// interruptCases: interrupts come from the APIC page, when the guest lets
// them.
func interruptCases() []Case {
	var cases []Case
	for _, m := range modes {
		cases = append(cases, Case{Name: "interrupt/pulled/" + m.name, run: func(r *rig) { pulled(r, m) }})
	}
	cases = append(cases,
		Case{Name: "interrupt/closed", run: interruptsClosed},
		Case{Name: "interrupt/sti-shadow", run: stiShadow},
		Case{Name: "interrupt/loaded-sti-shadow", run: func(r *rig) { loadedShadow(r, x86.Interruptibility{STIShadow: true}) }},
		Case{Name: "interrupt/loaded-mov-ss-shadow", run: func(r *rig) { loadedShadow(r, x86.Interruptibility{MovSSShadow: true}) }},
		Case{Name: "interrupt/priority", run: priority},
		Case{Name: "interrupt/task-priority", run: taskPriority},
		Case{Name: "interrupt/window", run: window},
		Case{Name: "interrupt/pic", run: picInterrupt},
		Case{Name: "interrupt/halt", run: halted},
		Case{Name: "interrupt/timer", run: timer},
		Case{Name: "interrupt/redelivery", run: interruptRedelivery},
	)
	// The same in x2APIC mode, where the processor may serve the APIC.
	for _, c := range cases {
		cases = append(cases, Case{Name: "x2apic/" + c.Name, run: func(r *rig) { r.x2apic = true; c.run(r) }})
	}
	return append(cases, Case{Name: "x2apic/registers", run: x2apicRegisters},
		Case{Name: "x2apic/level", run: x2apicLevel}, Case{Name: "x2apic/disabled", run: x2apicDisabled},
		Case{Name: "x2apic/switch", run: x2apicSwitch}, Case{Name: "x2apic/closed-eoi", run: x2apicClosedEOI},
		Case{Name: "x2apic/closed-self", run: x2apicClosedSelf}, Case{Name: "x2apic/closed-cli", run: x2apicClosedCLI})
}

const vector = 0x21

// enableAPIC is what software does before it takes interrupts.
func (r *rig) enableAPIC() {
	const enable = 1 << 8
	r.useX2APIC()
	apic.Write(r.area(), vcpu.APICSVR, enable|0xFF, r.env.TSC())
}

// pulled: an interrupt set in IRR before the entry is taken at once, and is in
// service until its EOI.
func pulled(r *rig, m mode) {
	r.start(m, func(a *asm.Asm) {
		a.Sti()
		a.Nop()
		mark(a, 1)
	})
	r.enableAPIC()
	apic.SetIRR(r.area(), vector, false)
	r.reached(1)
	want(r, "interrupts taken", r.count(vector), 1)
	isr := *r.area().APIC.Reg(vcpu.APICISR + vector/32)
	want(r, "ISR", isr, 1<<(vector%32))
	apic.EOI(r.area())
}

func interruptsClosed(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		mark(a, 2)
		a.Sti()
		a.Nop()
		mark(a, 3)
	})
	r.enableAPIC()
	apic.SetIRR(r.area(), vector, false)
	r.reached(1)
	r.reached(2)
	want(r, "interrupts taken with IF clear", r.count(vector), 0)
	r.reached(3)
	want(r, "interrupts taken", r.count(vector), 1)
}

// stiShadow: the instruction behind STI is completed first; with CLI there,
// the interrupt waits on.
func stiShadow(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Sti()
		a.Cli()
		mark(a, 1)
		a.Sti()
		a.Mov(asm.EBX, asm.Abs(countBase+4*vector))
		a.Nop()
		mark(a, 2)
	})
	r.enableAPIC()
	apic.SetIRR(r.area(), vector, false)
	r.reached(1)
	want(r, "interrupts taken between STI and CLI", r.count(vector), 0)
	r.reached(2)
	want(r, "interrupts seen by the instruction behind STI", r.area().GPR[x86.RBX], 0)
	want(r, "interrupts taken", r.count(vector), 1)
}

// loadedShadow: a shadow that is loaded with the state holds for the first
// instruction, and only for it.
func loadedShadow(r *rig, shadow x86.Interruptibility) {
	r.start(mode64, func(a *asm.Asm) {
		a.Mov(asm.EBX, asm.Abs(countBase+4*vector))
		a.Mov(asm.ECX, asm.Abs(countBase+4*vector))
		mark(a, 1)
	})
	s := state(mode64)
	s.RIP, s.RFLAGS = codeBase, s.RFLAGS|x86.FlagIF
	s.Interrupt = shadow
	r.must(r.cpus[0].Load(x86.GroupIP|x86.GroupInterrupt, s), "Load")
	r.enableAPIC()
	apic.SetIRR(r.area(), vector, false)
	r.reached(1)
	want(r, "interrupts seen by the instruction in the shadow", r.area().GPR[x86.RBX], 0)
	want(r, "interrupts seen by the next one", r.area().GPR[x86.RCX], 1)
}

// priority: of two, the higher class comes first, and the other one after its
// EOI.
func priority(r *rig) {
	const low, high = 0x20, 0x2F // one class
	r.start(mode64, func(a *asm.Asm) {
		a.Sti()
		a.Nop()
		mark(a, 1)
		mark(a, 2)
	})
	r.enableAPIC()
	apic.SetIRR(r.area(), low, false)
	apic.SetIRR(r.area(), high, false)
	r.reached(1)
	want(r, "interrupts taken, higher vector", r.count(high), 1)
	want(r, "interrupts taken, same class before EOI", r.count(low), 0)
	apic.EOI(r.area())
	r.must(r.cpus[0].Load(0, new(x86.State)), "Load") // as the rule of package apic is
	r.reached(2)
	want(r, "interrupts taken, lower vector", r.count(low), 1)
}

// taskPriority: a guest that raises CR8 holds interrupts back, and gets them
// when it lowers it.
func taskPriority(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Mov(asm.EAX, asm.Imm(5))
		a.Mov(asm.CR8, asm.RAX)
		a.Sti()
		a.Nop()
		mark(a, 1)
		mark(a, 2)
		a.Xor(asm.EAX, asm.EAX)
		a.Mov(asm.CR8, asm.RAX)
		a.Nop()
		mark(a, 3)
	})
	r.enableAPIC()
	r.reachedOver(1)
	want(r, "TPR", *r.area().APIC.Reg(vcpu.APICTPR), 0x50)
	apic.SetIRR(r.area(), vector, false)
	r.reachedOver(2)
	want(r, "interrupts taken below the task priority", r.count(vector), 0)
	r.reachedOver(3)
	want(r, "interrupts taken", r.count(vector), 1)
}

// reachedOver is reached for a guest whose moves to CR8 may come out.
func (r *rig) reachedOver(n uint8) {
	r.t.Helper()
	for {
		e := r.run(0)
		if e.Kind != vcpu.KindCR {
			want(r, "exit", e.Kind, vcpu.KindPIO)
			want(r, "mark", uint8(e.Data), n)
			return
		}
		want(r, "control register", e.CR, 8)
		apic.SetTPR(r.area(), uint8(r.area().GPR[e.Reg]<<x86.CR8TPRShift))
	}
}

// window: Window asks for an exit when interrupts open.
func window(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		a.Sti()
		a.Nop()
		mark(a, 2)
	})
	r.cpus[0].Window(true)
	r.reached(1)
	r.next(vcpu.KindIntrWindow)
	s := new(x86.State)
	r.must(r.cpus[0].Store(x86.GroupIP|x86.GroupInterrupt, s), "Store")
	want(r, "IF", s.RFLAGS&x86.FlagIF, x86.FlagIF)
	want(r, "STIShadow", s.Interrupt.STIShadow, false)
	r.cpus[0].Window(false)
	r.reached(2)
}

// picInterrupt: the PIC's line makes an exit when the guest can take its
// interrupt, and the vector that is injected then is taken at once.
func picInterrupt(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		a.Sti()
		a.Nop()
		mark(a, 2)
	})
	r.useX2APIC()
	apic.VirtualWire(r.area())
	r.area().ExtINT.Store(1)
	r.reached(1)
	r.next(vcpu.KindIntrWindow)
	r.area().ExtINT.Store(0)
	r.must(r.cpus[0].Inject(vcpu.Event{Type: vcpu.EventInterrupt, Vector: vector}), "Inject")
	r.reached(2)
	want(r, "interrupts taken", r.count(vector), 1)
}

// halted: HLT waits, and an interrupt from another goroutine ends it.
func halted(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		a.Sti()
		a.Hlt()
		mark(a, 2)
	})
	r.enableAPIC()
	r.reached(1)
	v, area := r.cpus[0], r.area()
	r.after(func() {
		apic.SetIRR(area, vector, false)
		v.Kick()
	})
	r.reached(2)
	want(r, "interrupts taken", r.count(vector), 1)
}

// timer: the APIC timer ends HLT, with nobody else awake.
func timer(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		a.Sti()
		a.Hlt()
		mark(a, 2)
	})
	r.enableAPIC()
	r.reached(1)
	const millisecond = 1_000_000 // timer ticks of 1 ns
	before := r.env.TSC()
	apic.Write(r.area(), vcpu.APICLVTTimer, vector, before)
	apic.Write(r.area(), vcpu.APICDivide, 0xB, before) // by 1
	apic.Write(r.area(), vcpu.APICInitCount, 5*millisecond, before)
	r.reached(2)
	want(r, "interrupts taken", r.count(vector), 1)
	if took := r.env.TSC() - before; took < r.env.TSCHz/200 {
		r.t.Fatalf("a timer of 5 ms fired after %d ticks of %d Hz", took, r.env.TSCHz)
	}
}

// interruptRedelivery: an interrupt that met a missing page on its way is not
// lost, and not taken twice.
func interruptRedelivery(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Sti()
		a.Nop()
		mark(a, 1)
	})
	r.enableAPIC()
	apic.SetIRR(r.area(), vector, false)
	r.unmapPage(idtBase)
	r.stage2Exit(idtBase)
	ev, ok := r.cpus[0].Pending()
	want(r, "an event is pending", ok, true)
	want(r, "pending type", ev.Type, vcpu.EventInterrupt)
	want(r, "pending vector", ev.Vector, vector)
	r.mapPage(idtBase)
	r.reached(1)
	want(r, "interrupts taken", r.count(vector), 1)
}
