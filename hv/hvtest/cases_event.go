package hvtest

import (
	"ringo/hv/vcpu"
	"ringo/x86"
	"ringo/x86/asm"
)

// eventCases: exceptions and NMIs enter the guest once, with their error code,
// and an event whose delivery was cut short is delivered again.
func eventCases() []Case {
	var cases []Case
	for _, m := range modes {
		cases = append(cases,
			Case{Name: "event/exception/" + m.name, run: func(r *rig) { exception(r, m) }},
			Case{Name: "event/own-exception/" + m.name, run: func(r *rig) { ownException(r, m) }},
			Case{Name: "event/nmi/" + m.name, run: func(r *rig) { nmi(r, m) }},
		)
	}
	return append(cases,
		Case{Name: "event/error-code", run: errorCode},
		Case{Name: "event/page-fault", run: pageFault},
		Case{Name: "event/nmi-blocked", run: nmiBlocked},
		Case{Name: "event/redelivery", run: redelivery},
		Case{Name: "event/redelivery-of-own", run: redeliveryOfOwn},
		Case{Name: "event/cancel", run: cancelled},
		Case{Name: "event/double-fault", run: doubleFault},
	)
}

func injected(vector uint8, code ...uint32) vcpu.Event {
	ev := vcpu.Event{Type: vcpu.EventException, Vector: vector}
	if len(code) != 0 {
		ev.HasError, ev.ErrorCode = true, code[0]
	}
	return ev
}

// exception: an injected exception without an error code; the guest returns
// to where it was.
func exception(r *rig, m mode) {
	r.start(m, func(a *asm.Asm) {
		mark(a, 1)
		mark(a, 2)
	})
	r.reached(1)
	r.must(r.cpus[0].Inject(injected(x86.VectorUD)), "Inject")
	r.reached(2)
	want(r, "#UD taken", r.count(x86.VectorUD), 1)
}

// ownException: the guest's own exceptions need nobody.
func ownException(r *rig, m mode) {
	r.start(m, func(a *asm.Asm) {
		a.Int3()
		a.Int(0x21)
		mark(a, 1)
	})
	r.reached(1)
	want(r, "#BP taken", r.count(x86.VectorBP), 1)
	want(r, "INT 21H taken", r.count(0x21), 1)
}

func errorCode(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		mark(a, 2)
	})
	r.reached(1)
	r.must(r.cpus[0].Inject(injected(x86.VectorGP, 0x1234)), "Inject")
	r.reached(2)
	want(r, "#GP taken", r.count(x86.VectorGP), 1)
	want(r, "error code", r.code(x86.VectorGP), 0x1234)
}

// pageFault: CR2 is loaded with the event.
func pageFault(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		a.Mov(asm.RBX, asm.CR2)
		mark(a, 2)
	})
	r.reached(1)
	ev := injected(x86.VectorPF, x86.PFWrite)
	ev.CR2 = 0x7FFF_1234_5000
	r.must(r.cpus[0].Inject(ev), "Inject")
	r.reached(2)
	want(r, "#PF taken", r.count(x86.VectorPF), 1)
	want(r, "error code", r.code(x86.VectorPF), x86.PFWrite)
	want(r, "CR2 in the guest", r.area().GPR[x86.RBX], 0x7FFF_1234_5000)
}

func nmi(r *rig, m mode) {
	r.start(m, func(a *asm.Asm) {
		mark(a, 1)
		mark(a, 2)
	})
	r.reached(1)
	r.must(r.cpus[0].Inject(vcpu.Event{Type: vcpu.EventNMI, Vector: x86.VectorNMI}), "Inject")
	r.reached(2)
	want(r, "NMIs taken", r.count(x86.VectorNMI), 1)
}

// nmiBlocked: a second NMI waits for the IRET of the first one's handler.
func nmiBlocked(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		mark(a, 4)
	})
	a := asm.New(asm.Bits64, scratch)
	a.Inc(asm.Abs(countBase + 4*x86.VectorNMI).Dword())
	mark(a, 2)
	mark(a, 3)
	a.Iret(64)
	p, err := a.Bytes()
	r.must(err, "assembling")
	r.write(scratch, p)
	r.gate(mode64, x86.VectorNMI, scratch)

	send := vcpu.Event{Type: vcpu.EventNMI, Vector: x86.VectorNMI}
	r.reached(1)
	r.must(r.cpus[0].Inject(send), "Inject")
	r.reached(2)
	s := new(x86.State)
	r.must(r.cpus[0].Store(x86.GroupInterrupt, s), "Store")
	want(r, "NMIBlocked in the handler", s.Interrupt.NMIBlocked, true)
	r.must(r.cpus[0].Inject(send), "Inject")
	r.reached(3)
	want(r, "NMIs taken inside the handler", r.count(x86.VectorNMI), 1)
	r.reached(2)
	r.reached(3)
	r.reached(4)
	want(r, "NMIs taken", r.count(x86.VectorNMI), 2)
}

// redelivery: an injected event meets a missing page on its way into the
// guest, is pending then, and is delivered once when the page is there.
func redelivery(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		mark(a, 2)
	})
	r.reached(1)
	r.must(r.cpus[0].Inject(injected(x86.VectorGP, 0x40)), "Inject")
	r.unmapPage(idtBase)
	r.stage2Exit(idtBase)
	ev, ok := r.cpus[0].Pending()
	want(r, "an event is pending", ok, true)
	want(r, "pending vector", ev.Vector, x86.VectorGP)
	want(r, "pending type", ev.Type, vcpu.EventException)
	want(r, "pending error code", ev.ErrorCode, 0x40)
	r.mapPage(idtBase)
	r.reached(2)
	want(r, "#GP taken", r.count(x86.VectorGP), 1)
	want(r, "error code", r.code(x86.VectorGP), 0x40)
	_, ok = r.cpus[0].Pending()
	want(r, "an event is pending", ok, false)
}

// redeliveryOfOwn: the same for an exception of the guest's own, several
// times over.
func redeliveryOfOwn(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Mov(asm.EBX, asm.Imm(0x30))
		a.Mov(asm.DS, asm.BX) // beyond the GDT: #GP(30H)
		mark(a, 1)
	})
	// A handler that steps over MOV DS, which is two bytes long.
	a := asm.New(asm.Bits64, scratch)
	a.Inc(asm.Abs(countBase + 4*x86.VectorGP).Dword())
	a.Pop(asm.RAX)
	a.Add(asm.Ptr(asm.RSP, 0).Qword(), asm.Imm(2))
	a.Iret(64)
	p, err := a.Bytes()
	r.must(err, "assembling")
	r.write(scratch, p)
	r.gate(mode64, x86.VectorGP, scratch)
	stack := uint64(stackTop-8) &^ x86.PageOffset4K
	r.unmapPage(idtBase)
	r.unmapPage(stack)
	r.stage2Exit(idtBase)
	r.mapPage(idtBase)
	r.stage2Exit(stack)
	r.mapPage(stack)
	r.reached(1)
	want(r, "#GP taken", r.count(x86.VectorGP), 1)
}

// cancelled: Cancel drops the pending event.
func cancelled(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		mark(a, 2)
	})
	r.reached(1)
	r.must(r.cpus[0].Inject(injected(x86.VectorUD)), "Inject")
	r.unmapPage(idtBase)
	e := r.stage2Exit(idtBase)
	e.Cancel = true
	r.mapPage(idtBase)
	r.reached(2)
	want(r, "#UD taken", r.count(x86.VectorUD), 0)
}

// doubleFault: an exception injected while a contributory one is pending
// becomes #DF.
func doubleFault(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		mark(a, 1)
		mark(a, 2)
	})
	r.reached(1)
	r.must(r.cpus[0].Inject(injected(x86.VectorGP, 0)), "Inject")
	r.unmapPage(idtBase)
	r.stage2Exit(idtBase)
	r.must(r.cpus[0].Inject(injected(x86.VectorNP, 8)), "Inject")
	r.mapPage(idtBase)
	r.reached(2)
	want(r, "#DF taken", r.count(x86.VectorDF), 1)
	want(r, "#GP taken", r.count(x86.VectorGP), 0)
	want(r, "#NP taken", r.count(x86.VectorNP), 0)
	want(r, "error code", r.code(x86.VectorDF), 0)
}
