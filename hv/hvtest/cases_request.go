package hvtest

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
	"ringo/x86/asm"
)

// requestCases: what other CPUs ask for through Area.Request and Kick.
func requestCases() []Case {
	return []Case{
		{Name: "kick/before", run: kickBefore},
		{Name: "kick/running", run: kickRunning},
		{Name: "kick/halted", run: kickHalted},
		{Name: "kick/often", run: kickOften},
		{Name: "request/nmi", run: requestNMI},
		{Name: "request/init-sipi", run: initSIPI},
		{Name: "request/deadline", run: deadline},
		{Name: "request/interrupt-running", run: interruptRunning},
		{Name: "request/two-vcpus", run: twoVCPUs},
	}
}

// spin is a guest that never exits by itself.
func spin(a *asm.Asm) {
	a.Label("spin")
	a.Inc(asm.Abs(scratch).Dword())
	a.Jmp("spin")
}

// leave asks vCPU 0 to come out.
func (r *rig) leave() {
	r.area().Request.Or(vcpu.RequestExit)
	r.cpus[0].Kick()
}

// kickBefore: a kick before Run makes the next Run come back at once, and only
// that one.
func kickBefore(r *rig) {
	r.start(mode64, func(a *asm.Asm) { mark(a, 1) })
	r.leave()
	r.next(vcpu.KindKick)
	want(r, "RIP", r.area().RIP, codeBase)
	want(r, "requests left", r.area().Request.Load(), 0)
	r.reached(1)
}

func kickRunning(r *rig) {
	r.start(mode64, spin)
	r.after(r.leave)
	r.next(vcpu.KindKick)
	if r.word32(scratch) == 0 {
		r.t.Fatalf("the guest did not run before the kick")
	}
}

// kickHalted: also with interrupts closed, and the guest goes on waiting then.
func kickHalted(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Hlt()
		mark(a, 1)
	})
	r.enableAPIC()
	r.after(r.leave)
	r.next(vcpu.KindKick)
	want(r, "activity", x86.Activity(r.area().Activity), x86.ActivityHalted)
	r.after(r.leave)
	r.next(vcpu.KindKick)
	r.area().Request.Or(vcpu.RequestNMI)
	r.reached(1)
	want(r, "NMIs taken", r.count(x86.VectorNMI), 1)
}

// kickOften: of many kicks that race with entries and exits, none is lost.
func kickOften(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Label("again")
		mark(a, 1)
		a.Jmp("again")
	})
	const rounds = 200
	answer, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for range rounds {
			r.leave()
			if _, more := <-answer; !more {
				return
			}
		}
	}()
	defer func() {
		close(answer)
		<-done
	}()
	for kicks := 0; kicks < rounds; {
		switch e := r.run(0); e.Kind {
		case vcpu.KindKick:
			kicks++
			answer <- struct{}{}
		case vcpu.KindPIO:
		default:
			want(r, "exit", e.Kind, vcpu.KindKick)
		}
	}
}

// requestNMI: an NMI from another CPU reaches a guest with interrupts closed.
func requestNMI(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Label("wait")
		a.Cmp(asm.Abs(countBase+4*x86.VectorNMI).Dword(), asm.Imm(0))
		a.Jcc(asm.E, "wait")
		mark(a, 1)
	})
	r.after(func() {
		r.area().Request.Or(vcpu.RequestNMI)
		r.cpus[0].Kick()
	})
	r.reached(1)
	want(r, "NMIs taken", r.count(x86.VectorNMI), 1)
}

// initSIPI: INIT comes out of a running vCPU, and the start-up IPI out of one
// that waits for it. A vCPU that waits does nothing else.
func initSIPI(r *rig) {
	r.start(mode64, spin)
	r.area().Request.Or(vcpu.RequestINIT)
	r.next(vcpu.KindINIT)

	s := state(mode16)
	s.Init()
	s.Activity = x86.ActivityWaitSIPI
	r.must(r.cpus[0].Load(x86.GroupAll&^x86.GroupTSC, s), "Load")
	r.exits[0].Emulated = true
	area, v := r.area(), r.cpus[0]
	r.after(func() {
		area.SIPI.Store(codeBase >> 12)
		area.Request.Or(vcpu.RequestSIPI)
		v.Kick()
	})
	e := r.next(vcpu.KindSIPI)
	want(r, "start-up vector", e.Data, codeBase>>12)

	a := asm.New(asm.Bits16, 0)
	mark(a, 1)
	p, err := a.Bytes()
	r.must(err, "assembling")
	r.write(codeBase, p)
	s.StartUp(uint8(e.Data))
	r.must(v.Load(x86.GroupAll&^x86.GroupTSC, s), "Load")
	e.Emulated = true
	r.reached(1)
}

// deadline: past the VM's deadline no guest is entered, even one that never
// exits.
func deadline(r *rig) {
	r.start(mode64, spin)
	until := &r.vm.Area().RunUntil
	until.Store(r.env.TSC() + r.env.TSCHz/50)
	r.next(vcpu.KindDeadline)
	if r.env.TSC() < until.Load() {
		r.t.Fatalf("KindDeadline came before the deadline")
	}
	r.next(vcpu.KindDeadline)
	until.Store(0)
	r.after(r.leave)
	r.next(vcpu.KindKick)
}

// interruptRunning: an interrupt set from another CPU reaches a guest that
// never exits.
func interruptRunning(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Sti()
		a.Label("wait")
		a.Cmp(asm.Abs(countBase+4*vector).Dword(), asm.Imm(0))
		a.Jcc(asm.E, "wait")
		mark(a, 1)
	})
	r.enableAPIC()
	r.after(func() {
		apic.SetIRR(r.area(), vector, false)
		r.cpus[0].Kick()
	})
	r.reached(1)
}

// twoVCPUs: two of one VM run at once and see each other's memory.
func twoVCPUs(r *rig) {
	r.addCPU()
	r.start(mode64, func(a *asm.Asm) {
		a.Mov(asm.Abs(scratch).Dword(), asm.Imm(7))
		a.Label("wait")
		a.Cmp(asm.Abs(scratch+4).Dword(), asm.Imm(9))
		a.Jcc(asm.NE, "wait")
		mark(a, 1)
	})
	r.startCPU(1, mode64, func(a *asm.Asm) {
		a.Label("wait")
		a.Cmp(asm.Abs(scratch).Dword(), asm.Imm(7))
		a.Jcc(asm.NE, "wait")
		a.Mov(asm.Abs(scratch+4).Dword(), asm.Imm(9))
		mark(a, 2)
	})
	second := r.background(1)
	r.reached(1)
	r.must(<-second, "Run of vCPU 1")
	want(r, "exit of vCPU 1", r.exits[1].Kind, vcpu.KindPIO)
	want(r, "mark of vCPU 1", r.exits[1].Data, 2)
}
