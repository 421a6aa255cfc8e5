package hvtest

import (
	"time"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
	"ringo/x86/asm"
)

// The memory of the cases with a dirty log: more pages than a processor's
// log of writes has entries.
const (
	loggedBase  = 0x20_0000
	loggedPages = 700
	loggedSize  = 0x40_0000
)

// dirtyCases: a dirty log reports what the guest writes, whoever finds it.
func dirtyCases() []Case {
	return []Case{
		{Name: "dirty/reported", run: dirtyReported},
		{Name: "dirty/running", run: dirtyRunning},
	}
}

// logged is a rig with memory in a Space, and a guest that writes to it.
type logged struct {
	*rig
	space  *memory.Space
	log    memory.DirtyLog
	faults int
}

// newLogged starts a guest that takes the first page and their number from
// scratch, adds 1 to a word in each, and marks 1, again and again. It marks
// only if marks is set.
func newLogged(r *rig, marks bool) *logged {
	l := &logged{rig: r}
	var err error
	l.space, err = memory.NewSpace(r.env.Frames, r.stage2, []memory.Slot{{Name: "ram", GPA: loggedBase, Size: loggedSize}}, 0)
	r.must(err, "NewSpace")
	l.log, err = l.space.NewDirtyLog("test")
	r.must(err, "NewDirtyLog")
	r.ends = append(r.ends, func() { r.must(l.space.Close(), "Space.Close") })
	r.start(mode64, func(a *asm.Asm) {
		a.Label("again")
		a.Mov(asm.EDI, asm.Abs(scratch))
		a.Mov(asm.ECX, asm.Abs(scratch+4))
		a.Label("page")
		a.Inc(asm.Mem{Base: asm.RDI}.Dword())
		a.Add(asm.EDI, asm.Imm(x86.PageSize4K))
		a.Dec(asm.ECX)
		a.Jcc(asm.NE, "page")
		if marks {
			mark(a, 1)
		}
		a.Jmp("again")
	})
	return l
}

// serve makes present what an exit asks for; false for any other exit.
func (l *logged) serve(e *vcpu.Exit) (bool, error) {
	if e.Kind != vcpu.KindStage2 && e.Kind != vcpu.KindMMIO || e.GPA < loggedBase {
		return false, nil
	}
	access := memory.Read
	if e.Write {
		access = memory.Write
	}
	l.faults++
	return true, l.space.Fault(e.GPA, access)
}

// which says which pages the guest writes to.
func (l *logged) which(first, n uint64) {
	l.write64(scratch, loggedBase+first*x86.PageSize4K|n<<32)
}

// writes has the guest write to n pages, and counts the faults.
func (l *logged) writes(first, n uint64) {
	l.t.Helper()
	l.which(first, n)
	l.faults = 0
	for e := l.run(0); e.Kind != vcpu.KindPIO; e = l.run(0) {
		served, err := l.serve(e)
		l.must(err, "Space.Fault")
		if !served {
			l.t.Fatalf("exit %v (raw %#x, GPA %#x) at RIP %#x", e.Kind, e.Raw, uint64(e.GPA), l.area().RIP)
		}
	}
}

// reported expects the log to report exactly n pages from first on.
func (l *logged) reported(first, n uint64) {
	l.t.Helper()
	next := memory.GPA(loggedBase + first*x86.PageSize4K)
	l.must(l.log.Harvest(func(g memory.GPA) {
		if g != next || n == 0 {
			l.t.Fatalf("the log reports page %#x; want %#x and %d in all", uint64(g), uint64(next), n)
		}
		next, n = next+x86.PageSize4K, n-1
	}), "Harvest")
	want(l.rig, "pages that were not reported", n, 0)
}

// dirtyReported: exactly the pages that the guest has written since the last
// Harvest. Where the processor notes them, a page that was reported does not
// fault again, even if there are more than it has room for.
func dirtyReported(r *rig) {
	l := newLogged(r, true)
	_, noted := r.stage2.(memory.WriteLogger)
	again := func(n int) int {
		if noted {
			return 0
		}
		return n
	}
	l.writes(0, loggedPages)
	r.must(l.log.Start(), "Start")
	l.reported(0, 0)
	l.writes(3, 5)
	want(r, "faults", l.faults, 5)
	l.reported(3, 5)
	l.writes(4, 2)
	want(r, "faults", l.faults, again(2))
	l.reported(4, 2)
	l.writes(0, loggedPages)
	l.reported(0, loggedPages)
	for range 2 {
		l.writes(0, loggedPages)
		want(r, "faults", l.faults, again(loggedPages))
		l.reported(0, loggedPages)
	}
	l.reported(0, 0)
	r.must(l.log.Stop(), "Stop")
	l.writes(0, 9)
	r.must(l.log.Start(), "Start")
	l.reported(0, 0)
	l.writes(9, 1)
	l.reported(9, 1)
	r.must(l.log.Stop(), "Stop")
}

// dirtyRunning: no write is lost while the guest runs. Who copies each page
// when it is reported has the guest's memory in the end.
func dirtyRunning(r *rig) {
	const pages = 600
	l := newLogged(r, false)
	l.which(0, pages)
	r.must(l.log.Start(), "Start")
	stop := l.background()
	var copies [pages]uint32
	reports := 0
	copyPage := func(g memory.GPA) {
		copies[(g-loggedBase)/x86.PageSize4K] = l.word(g)
		reports++
	}
	var err error
	limit := time.Now().Add(20 * time.Second)
	for round := 0; err == nil && (round < 30 || reports < pages && time.Now().Before(limit)); round++ {
		time.Sleep(time.Millisecond)
		err = l.log.Harvest(copyPage)
	}
	r.must(stop(), "Run")
	r.must(err, "Harvest")
	want(r, "last exit", r.exits[0].Kind, vcpu.KindKick)
	r.must(l.log.Harvest(copyPage), "Harvest")
	if reports < pages {
		r.t.Fatalf("%d reports of %d pages", reports, pages)
	}
	for i, c := range copies {
		want(r, "page as it was last reported", c, l.word(loggedBase+memory.GPA(i)*x86.PageSize4K))
	}
	r.must(l.log.Stop(), "Stop")
}

// background runs the guest until stop is called, which gives how it ended. A
// case that fails in between does not leave it running.
func (l *logged) background() (stop func() error) {
	v, e := l.cpus[0], l.exits[0]
	var ended error
	over := make(chan struct{})
	go func() {
		defer close(over)
		for served := true; served && ended == nil; {
			if ended = v.Run(e); ended == nil {
				served, ended = l.serve(e)
			}
		}
	}()
	stop = func() error {
		v.Area().Request.Or(vcpu.RequestExit)
		v.Kick()
		<-over
		return ended
	}
	l.ends = append([]func(){func() { _ = stop() }}, l.ends...)
	return stop
}

// word reads the first 4 bytes of a page.
func (l *logged) word(g memory.GPA) uint32 {
	var p [4]byte
	l.must(l.space.ReadAt(p[:], g), "Space.ReadAt")
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}
