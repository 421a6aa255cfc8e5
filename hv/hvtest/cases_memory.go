package hvtest

import (
	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
	"ringo/x86/asm"
)

// memoryCases: what stage 2 does not allow comes out with its address and
// kind, and the guest repeats the access once it is allowed. A backend that
// knows what is RAM may say KindMMIO for what is not.
func memoryCases() []Case {
	return []Case{
		{Name: "memory/read", run: func(r *rig) {
			missingPage(r, scratch, func(a *asm.Asm) { a.Mov(asm.EAX, asm.Abs(scratch)) }, false, false)
		}},
		{Name: "memory/write", run: func(r *rig) {
			missingPage(r, scratch, func(a *asm.Asm) { a.Mov(asm.Abs(scratch), asm.EAX) }, true, false)
		}},
		{Name: "memory/fetch", run: func(r *rig) { missingPage(r, handlers, func(a *asm.Asm) { a.Raw(0xCC) }, false, true) }},
		{Name: "memory/walk", run: missingTable},
		{Name: "memory/protected", run: protectedPage},
		{Name: "memory/device-read", run: deviceRead},
		{Name: "memory/device-write", run: deviceWrite},
		{Name: "memory/flush", run: flushed},
	}
}

// stage2 expects the exit of an access to gpa.
func (r *rig) stage2Exit(gpa uint64) *vcpu.Exit {
	r.t.Helper()
	e := r.run(0)
	if e.Kind != vcpu.KindStage2 && e.Kind != vcpu.KindMMIO {
		r.t.Fatalf("exit %v (%s, raw %#x) at RIP %#x; want an access to %#x", e.Kind, vcpu.NameOf(r.cpus[0], e), e.Raw, r.area().RIP, gpa)
	}
	want(r, "page of the access", uint64(e.GPA)&^x86.PageOffset4K, gpa&^x86.PageOffset4K)
	return e
}

func missingPage(r *rig, page uint64, access func(*asm.Asm), write, fetch bool) {
	r.start(mode64, func(a *asm.Asm) {
		a.Mov(asm.EAX, asm.Imm(0x5A5A))
		access(a)
		mark(a, 1)
	})
	r.unmapPage(page)
	e := r.stage2Exit(page)
	want(r, "a write", e.Write, write)
	want(r, "a fetch", e.Fetch, fetch)
	want(r, "a page walk", e.Walk, false)
	r.mapPage(page)
	r.reached(1)
	if write {
		want(r, "memory", r.word32(page), 0x5A5A)
	}
}

// missingTable: the fault of a page table walk says so.
func missingTable(r *rig) {
	r.start(mode64, func(a *asm.Asm) { mark(a, 1) })
	r.unmapPage(pdBase)
	e := r.stage2Exit(pdBase)
	want(r, "a page walk", e.Walk, true)
	r.mapPage(pdBase)
	r.reached(1)
}

// protectedPage: a write to a page that may only be read comes out; a read
// does not.
func protectedPage(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Mov(asm.EAX, asm.Abs(scratch))
		a.Mov(asm.Abs(scratch), asm.EAX)
		mark(a, 1)
	})
	r.must(r.stage2.Protect(scratch, x86.PageSize4K, memory.Read|memory.Exec), "Protect")
	r.stage2.Flush()
	e := r.stage2Exit(scratch)
	want(r, "a write", e.Write, true)
	r.must(r.stage2.Protect(scratch, x86.PageSize4K, memory.RWX), "Protect")
	r.stage2.Flush()
	r.reached(1)
}

// deviceRead: the caller emulates the access: it sets the register and moves
// RIP, and the guest goes on behind the instruction.
func deviceRead(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		a.Mov(asm.EBX, asm.Imm(deviceBase+0x10))
		a.Mov(asm.EAX, asm.Ptr(asm.RBX, 4)) // 8B 43 04
		a.Mov(asm.Abs(scratch), asm.EAX)
		mark(a, 1)
	})
	e := r.stage2Exit(deviceBase)
	want(r, "address", e.GPA, deviceBase+0x14)
	want(r, "a write", e.Write, false)
	r.area().GPR[x86.RAX] = 0x0BADCAFE
	r.area().RIP += 3
	e.Emulated = true
	r.reached(1)
	want(r, "memory", r.word32(scratch), 0x0BADCAFE)
}

func deviceWrite(r *rig) {
	r.start(mode32, func(a *asm.Asm) {
		a.Mov(asm.EBX, asm.Imm(deviceBase))
		a.Mov(asm.Ptr(asm.EBX, 0), asm.EAX) // 89 03
		mark(a, 1)
	})
	e := r.stage2Exit(deviceBase)
	want(r, "address", e.GPA, deviceBase)
	want(r, "a write", e.Write, true)
	r.area().RIP += 2
	e.Emulated = true
	r.reached(1)
}

// flushed: after Unmap and Flush no old translation is used, though the guest
// has just used it.
func flushed(r *rig) {
	r.start(mode64, func(a *asm.Asm) {
		for n := range uint8(3) {
			a.Mov(asm.EBX, asm.Abs(scratch))
			mark(a, n)
		}
	})
	r.write64(scratch, 1)
	r.reached(0)
	r.unmapPage(scratch)
	r.stage2Exit(scratch)
	r.mapPage(scratch)
	r.reached(1)
	want(r, "RBX", r.area().GPR[x86.RBX], 1)
	r.reached(2)
}
