package hvtest

import (
	"encoding/binary"
	"time"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
	"ringo/x86/asm"
)

// The guest's memory. Everything lies below 64 KiB, where real mode reaches it
// too, and has a page of its own that a case may take away.
const (
	ramSize    = 0x20000
	gdtBase    = 0x1000
	idtBase    = 0x2000 // the interrupt vector table of real mode is at 0
	countBase  = 0x4000 // how often each vector's handler ran, 4 bytes each
	codesBase  = 0x4400 // the last error code of each vector, in 8 bytes
	scratch    = 0x5000
	handlers   = 0x6000
	stackTop   = 0x7F00
	codeBase   = 0x8000
	pml4Base   = 0x10000
	pdptBase   = 0x11000
	pdBase     = 0x12000
	deviceBase = 0x1000_0000 // mapped by the guest, no RAM
)

// Selectors of the guest's GDT.
const (
	selCode = 0x08
	selData = 0x10
)

// mode is how a guest starts.
type mode struct {
	name string
	bits asm.Mode
}

var (
	mode16 = mode{"16-bit", asm.Bits16}
	mode32 = mode{"32-bit", asm.Bits32}
	mode64 = mode{"64-bit", asm.Bits64}
	modes  = []mode{mode16, mode32, mode64}
)

// rig is one case's VM.
type rig struct {
	t      T
	b      vcpu.Backend
	env    Env
	stage2 memory.Stage2
	vm     vcpu.VM
	cpus   []vcpu.VCPU
	exits  []*vcpu.Exit
	frames map[uint64]memory.HPA
	ends   []func() // end what a failed case left running
	x2apic bool     // the guest's APIC is in x2APIC mode
}

func newRig(t T, b vcpu.Backend, env Env) *rig {
	t.Helper()
	r := &rig{t: t, b: b, env: env, frames: map[uint64]memory.HPA{}}
	var err error
	r.stage2, err = b.NewStage2(env.Frames)
	r.must(err, "NewStage2")
	for gpa := uint64(0); gpa < ramSize; gpa += x86.PageSize4K {
		h, err := env.Frames.Alloc(memory.Page4K)
		r.must(err, "a frame")
		r.frames[gpa] = h
		r.mapPage(gpa)
	}
	r.vm, err = b.NewVM(r.stage2)
	r.must(err, "NewVM")
	r.vm.Area().TSCPerSec = env.TSCHz
	r.addCPU()
	return r
}

// addCPU makes one more vCPU.
func (r *rig) addCPU() vcpu.VCPU {
	v, err := r.vm.NewVCPU(uint32(len(r.cpus)))
	r.must(err, "NewVCPU")
	r.cpus = append(r.cpus, v)
	r.exits = append(r.exits, &vcpu.Exit{})
	return v
}

func (r *rig) close() {
	for _, end := range r.ends {
		end()
	}
	for _, v := range r.cpus {
		r.must(v.Close(), "VCPU.Close")
	}
	r.must(r.vm.Close(), "VM.Close")
	r.must(r.stage2.Close(), "Stage2.Close")
	for _, h := range r.frames {
		r.env.Frames.Free(h, memory.Page4K)
	}
}

// must ends the case if err is not nil.
func (r *rig) must(err error, what string) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%s: %v", what, err)
	}
}

// want ends the case unless got is what the contract promises.
func want[V comparable](r *rig, what string, got, promised V) {
	r.t.Helper()
	if got != promised {
		r.t.Fatalf("%s is %#v; want %#v", what, got, promised)
	}
}

// mapPage enters a page of RAM in stage 2.
func (r *rig) mapPage(gpa uint64) {
	r.t.Helper()
	r.must(r.stage2.Map(memory.GPA(gpa), r.frames[gpa], memory.Page4K, memory.RWX, memory.WriteBack), "Stage2.Map")
}

// unmapPage takes a page of RAM away.
func (r *rig) unmapPage(gpa uint64) {
	r.t.Helper()
	r.must(r.stage2.Unmap(memory.GPA(gpa), x86.PageSize4K), "Stage2.Unmap")
	r.stage2.Flush()
}

// write stores bytes in RAM, within a page or over several.
func (r *rig) write(gpa uint64, p []byte) {
	for len(p) > 0 {
		offset := gpa & x86.PageOffset4K
		n := copy(frameBytes(r.env.Frames, r.frames[gpa-offset])[offset:], p)
		gpa, p = gpa+uint64(n), p[n:]
	}
}

// word32 reads 4 bytes of RAM.
func (r *rig) word32(gpa uint64) uint32 {
	offset := gpa & x86.PageOffset4K
	return binary.LittleEndian.Uint32(frameBytes(r.env.Frames, r.frames[gpa-offset])[offset:])
}

func (r *rig) write64(gpa uint64, v ...uint64) {
	for i, w := range v {
		r.write(gpa+8*uint64(i), binary.LittleEndian.AppendUint64(nil, w))
	}
}

// patience is how long a guest may stay inside Run.
const patience = 10 * time.Second

// run enters the guest and gives the next exit. A vCPU that does not come out
// is kicked, so that a failing case ends.
func (r *rig) run(cpu int) *vcpu.Exit {
	r.t.Helper()
	v := r.cpus[cpu]
	watchdog := time.AfterFunc(patience, func() {
		v.Area().Request.Or(vcpu.RequestExit)
		v.Kick()
	})
	defer watchdog.Stop()
	r.must(v.Run(r.exits[cpu]), "Run")
	return r.exits[cpu]
}

// background runs another vCPU to its next exit, and gives where its error
// comes. A case that fails in between does not leave it running.
func (r *rig) background(cpu int) <-chan error {
	v, e := r.cpus[cpu], r.exits[cpu]
	result, over := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(over)
		result <- v.Run(e)
	}()
	r.ends = append(r.ends, func() {
		v.Area().Request.Or(vcpu.RequestExit)
		v.Kick()
		<-over
	})
	return result
}

// next enters vCPU 0 and expects an exit of that kind.
func (r *rig) next(k vcpu.Kind) *vcpu.Exit {
	r.t.Helper()
	e := r.run(0)
	if e.Kind != k {
		r.t.Fatalf("exit %v (%s, raw %#x, GPA %#x) at RIP %#x; want %v",
			e.Kind, vcpu.NameOf(r.cpus[0], e), e.Raw, uint64(e.GPA), r.area().RIP, k)
	}
	return e
}

// reached expects the guest to come to mark(n).
func (r *rig) reached(n uint8) {
	r.t.Helper()
	e := r.next(vcpu.KindPIO)
	if e.Port != markPort || !e.Write || uint8(e.Data) != n {
		r.t.Fatalf("guest came to port %#x write %v data %#x; want mark %d", e.Port, e.Write, e.Data, n)
	}
}

// area is vCPU 0's.
func (r *rig) area() *vcpu.Area { return r.cpus[0].Area() }

// count is how often a vector's handler ran.
func (r *rig) count(vector uint8) uint32 { return r.word32(countBase + 4*uint64(vector)) }

// code is the last error code of a vector.
func (r *rig) code(vector uint8) uint32 { return r.word32(codesBase + 8*uint64(vector)) }

// after calls f on another goroutine once the guest had time to get going.
func (r *rig) after(f func()) {
	t := time.AfterFunc(20*time.Millisecond, f)
	r.ends = append(r.ends, func() { t.Stop() })
}
