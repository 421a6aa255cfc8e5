package svm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// run runs the vCPU once on an exit that the rig prepared.
func (r *rig) run(t *testing.T, e *vcpu.Exit) {
	t.Helper()
	require.NoError(t, r.v.Run(e))
}

func TestPortIO(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	var e vcpu.Exit
	a := &r.c.area
	a.GPR[x86.RAX] = 0x11223344_55667788
	port := func(info uint64) func(*ControlArea) {
		return func(c *ControlArea) { c.ExitInfo1, c.ExitInfo2 = info, r.c.vmcb.Save.RIP+2 }
	}
	r.exit(ExitIOIO, port(0x3F8<<16|1<<4))
	r.run(t, &e)
	require.Equal(t, vcpu.KindPIO, e.Kind)
	require.True(t, e.Write)
	require.EqualValues(t, 0x88, e.Data)
	require.EqualValues(t, 0x3F8, e.Port)
	require.EqualValues(t, 1, e.Size)
	require.EqualValues(t, 2, e.Len)
	require.Equal(t, "VMEXIT_IOIO", vcpu.NameOf(r.v, &e))
	require.EqualValues(t, 0x1000, a.RIP)

	for _, x := range []struct {
		size uint64
		want uint64
	}{{1, 0x11223344_556677AA}, {2, 0x11223344_5566AAAA}, {4, 0xAAAAAAAA}} {
		r.long(0x1000)
		e = vcpu.Exit{}
		a.GPR[x86.RAX] = 0x11223344_55667788
		r.exit(ExitIOIO, port(0x60<<16|x.size<<4|1))
		r.run(t, &e)
		require.False(t, e.Write)
		e.Data = 0xAAAAAAAA_AAAAAAAA
		r.run(t, &e) // completes, then the next exit
		require.Equal(t, x.want, a.GPR[x86.RAX])
		require.EqualValues(t, 0x1002, a.RIP)
	}

	// A string form is the caller's, RIP included.
	r.long(0x1000)
	e = vcpu.Exit{}
	r.exit(ExitIOIO, port(0x60<<16|1<<4|ioSTR|ioREP|ioTypeIN))
	r.run(t, &e)
	require.True(t, e.String && e.Rep)
	a.RIP, e.Emulated = 0x1234, true
	r.run(t, &e)
	require.EqualValues(t, 0x1234, a.RIP)
	require.EqualValues(t, 9, a.Exits[vcpu.KindPIO])
}

func TestCompletion(t *testing.T) {
	r := newRig(t, x86.CPUID8000000AEDXNRIPS)
	a := &r.c.area
	var e vcpu.Exit
	for name, x := range map[string]struct {
		code ExitCode
		kind vcpu.Kind
	}{
		"VMMCALL": {ExitVMMCALL, vcpu.KindHypercall},
		"CPUID":   {ExitCPUID, vcpu.KindCPUID},
		"RDMSR":   {ExitMSR, vcpu.KindRDMSR},
		"XSETBV":  {ExitXSETBV, vcpu.KindXSETBV},
	} {
		r.long(0x1000)
		e = vcpu.Exit{}
		a.GPR[x86.RCX], a.GPR[x86.RAX], a.GPR[x86.RDX] = 0, 7, 0
		r.exit(x.code, func(c *ControlArea) { c.NRIP = r.c.vmcb.Save.RIP + 3 })
		r.run(t, &e)
		require.Equal(t, x.kind, e.Kind, name)
		require.EqualValues(t, 3, e.Len, name)
		if e.Kind == vcpu.KindRDMSR {
			e.Data = 0x1111_2222_3333_4444
		}
		r.run(t, &e)
		require.EqualValues(t, 0x1003, a.RIP, name)
		switch x.kind {
		case vcpu.KindRDMSR:
			require.EqualValues(t, 0x33334444, a.GPR[x86.RAX])
			require.EqualValues(t, 0x11112222, a.GPR[x86.RDX])
		case vcpu.KindXSETBV:
			require.EqualValues(t, 7, r.c.xcr0)
		}
		// An emulated exit, and one that a caller invents, move nothing.
		e.Emulated = true
		r.run(t, &e)
		require.EqualValues(t, 0x1003, a.RIP, name)
		e = vcpu.Exit{Kind: vcpu.KindHypercall}
		r.v.last = vcpu.KindStage2
		r.run(t, &e)
		require.EqualValues(t, 0x1003, a.RIP, name)
	}
}

func TestNestedPageFault(t *testing.T) {
	r := newRig(t, x86.CPUID8000000AEDXDecodeAssists)
	r.long(0x1000)
	var e vcpu.Exit
	r.exit(ExitNPF, func(c *ControlArea) {
		c.ExitInfo1, c.ExitInfo2 = npfFinal|x86.PFWrite|x86.PFPresent, 0xFEE000B0
		c.FetchedBytes = 0xFF // more than there can be
		c.GuestBytes[0] = 0x89
		c.ExitIntInfo = 0x41 | EventV
	})
	r.run(t, &e)
	require.Equal(t, vcpu.KindStage2, e.Kind)
	require.EqualValues(t, 0xFEE000B0, e.GPA)
	require.True(t, e.Write && !e.Fetch && !e.Walk)
	require.EqualValues(t, 15, e.InsnLen)
	require.EqualValues(t, 0x89, e.Insn[0])
	require.Equal(t, uint64(ExitNPF), e.Raw[0])
	r.exit(ExitNPF, func(c *ControlArea) { c.ExitInfo1 = npfTable | x86.PFFetch })
	r.run(t, &e)
	require.True(t, e.Walk && e.Fetch)
	require.EqualValues(t, 0x1000, r.c.area.RIP)
}

func TestCancel(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	var e vcpu.Exit
	r.exit(ExitNPF, nil)
	r.run(t, &e)
	r.c.event = 0x41 | EventV
	r.enter = func(c *vcpuMem) {
		require.Zero(t, c.event)
		c.reason = reasonKick
	}
	e.Cancel = true
	r.run(t, &e)
	require.Equal(t, vcpu.KindKick, e.Kind)
}

func TestReasons(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	for why, kind := range reasonKinds {
		if reason(why) == reasonExit || reason(why) == reasonLength || reason(why) == reasonMove {
			continue
		}
		var e vcpu.Exit
		r.enter = func(c *vcpuMem) { c.reason, c.reasonData = reason(why), 9 }
		r.run(t, &e)
		require.NotEqual(t, vcpu.KindNone, kind)
		require.Equal(t, kind, e.Kind)
		require.EqualValues(t, 9, e.Data)
	}
}

// TestLengthIsFound runs instructions on a processor that does not say how
// long they are: prefixes, a page crossing, a missing page.
func TestLengthIsFound(t *testing.T) {
	r := newRig(t, 0)
	ram := r.ram(t)
	a, s := &r.c.area, &r.c.vmcb.Save
	paging(ram)
	try := func(rip uint64, code ...byte) *vcpu.Exit {
		r.long(rip)
		s.CR3 = 0x1000
		copy(ram[rip:], code)
		e := &vcpu.Exit{}
		r.exit(ExitVMMCALL, nil)
		r.run(t, e)
		return e
	}
	e := try(0x8000, 0x0F, 0x01, 0xD9)
	require.Equal(t, vcpu.KindHypercall, e.Kind)
	require.EqualValues(t, 3, e.Len)
	r.run(t, e)
	require.EqualValues(t, 0x8003, a.RIP)
	require.EqualValues(t, 5, try(0x8100, 0x66, 0x3E, 0x0F, 0x01, 0xD9).Len)
	require.EqualValues(t, 4, try(0x8FFE, 0x3E, 0x0F, 0x01, 0xD9).Len, "across pages")
	// The last page of RAM: the next one has no stage-2 mapping.
	e = try(0x1FFFFE, 0x0F, 0x01)
	require.Equal(t, vcpu.KindStage2, e.Kind)
	require.EqualValues(t, 0x200000, e.GPA)
	require.True(t, e.Fetch)
	require.EqualValues(t, 0x1FFFFE, a.RIP)
	// A guest that pulls its page away while it is looked at runs again, and
	// one that does so for ever stops.
	r.long(0x4000_0000)
	e = &vcpu.Exit{}
	entries := 0
	r.exit(ExitVMMCALL, nil)
	first := r.enter
	r.enter = func(c *vcpuMem) { entries++; first(c) }
	r.run(t, e)
	require.Equal(t, vcpu.KindUnknown, e.Kind)
	require.Equal(t, maxTries, entries)
}

// paging builds tables at 1000H that map the first 4 MiB one to one, by 4 KiB
// pages, with every entry accessed.
func paging(ram []byte) {
	put := func(at, v uint64) {
		for i := range 8 {
			ram[at+uint64(i)] = byte(v >> (8 * i))
		}
	}
	const bits = x86.PTEPresent | x86.PTEWrite | x86.PTEAccessed
	put(0x1000, 0x2000|bits)
	put(0x2000, 0x3000|bits)
	put(0x3000, 0x4000|bits)
	put(0x3008, 0x5000|bits)
	for i := range uint64(1024) {
		put(0x4000+8*i, i<<12|bits)
	}
}

// TestLengthIsNotStale is the proof for code.go: the loop knows the length of
// an instruction again only while nothing that it rests on has changed.
func TestLengthIsNotStale(t *testing.T) {
	r := newRig(t, 0)
	ram := r.ram(t)
	paging(ram)
	s := &r.c.vmcb.Save
	learn := func() {
		r.long(0x9000)
		s.CR3 = 0x1000
		copy(ram[0x9000:], []byte{0x0F, 0xA2, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90})
		paging(ram)
		require.EqualValues(t, 2, r.v.fetch.length(r.c, r.c.ack.Load()))
		next, ok := r.c.nextRIP()
		require.True(t, ok)
		require.EqualValues(t, 0x9002, next)
	}
	for name, change := range map[string]func(){
		"the code":       func() { ram[0x9000] = 0x66 },
		"the last byte":  func() { ram[0x9001] = 0x05 },
		"the PTE":        func() { ram[0x4000+8*9+1] ^= 0x10 },
		"the PML4E":      func() { ram[0x1000] ^= x86.PTEWrite },
		"CR3":            func() { s.CR3 = 0x2000 },
		"RIP":            func() { s.RIP++ },
		"CS.base":        func() { s.CS.Base = 1 },
		"the mode":       func() { s.CS.Attrib ^= attribL | attribDB },
		"paging":         func() { s.CR0 ^= x86.CR0PG },
		"the generation": func() { r.c.ack.Add(1) },
	} {
		learn()
		change()
		_, ok := r.c.nextRIP()
		require.False(t, ok, name)
	}
	learn()
	ram[0x9002] = 0xCC // behind the instruction
	_, ok := r.c.nextRIP()
	require.True(t, ok)
}

// TestLengthLearnedInRun checks the way through Go and back: the exit is handled
// again, with the length, and the next one needs no Go.
func TestLengthLearnedInRun(t *testing.T) {
	r := newRig(t, 0)
	ram := r.ram(t)
	paging(ram)
	r.cpuid(vcpu.CPUIDEntry{Leaf: 0, EBX: 7})
	r.long(0x9000)
	r.c.vmcb.Save.CR3 = 0x1000
	copy(ram[0x9000:], []byte{0x3E, 0x0F, 0xA2})
	toGo := 0
	r.enter = func(c *vcpuMem) {
		for range 3 {
			stop := false
			if c.again != 0 {
				c.again = 0
				_, stop = c.handle()
				c.resumeLen = 0
				require.EqualValues(t, 0x9003, c.vmcb.Save.RIP)
				c.vmcb.Save.RIP = 0x9000
			} else {
				_, stop = r.left(ExitCPUID, nil)
			}
			if stop {
				toGo++
				return
			}
			c.vmcb.Save.RIP = 0x9000
		}
		c.reason = reasonKick
	}
	var e vcpu.Exit
	r.run(t, &e)
	require.Equal(t, vcpu.KindKick, e.Kind)
	require.Equal(t, 1, toGo)
	require.EqualValues(t, 3, r.c.area.Fast[vcpu.KindCPUID])
}

func TestWriteCR8(t *testing.T) {
	for code, want := range map[string]uint8{
		"\x44\x0F\x22\xC3":     x86.RBX,
		"\x45\x0F\x22\xC1":     x86.R9,
		"\xF0\x0F\x22\xC2":     x86.RDX,
		"\x45\xF0\x0F\x22\xC1": x86.RCX, // REX before a prefix is void
	} {
		n, ok := crSource([]byte(code))
		require.True(t, ok)
		require.Equal(t, want, n)
	}
	_, ok := crSource([]byte{0x0F, 0x22})
	require.False(t, ok)

	r := newRig(t, 0)
	ram := r.ram(t)
	paging(ram)
	r.long(0x9000)
	r.c.vmcb.Save.CR3 = 0x1000
	copy(ram[0x9000:], "\x45\x0F\x22\xC1")
	r.c.area.GPR[x86.R9] = 5
	n := 0
	r.enter = func(c *vcpuMem) {
		if n++; n == 1 {
			r.left(0x18, nil)
			return
		}
		c.reason = reasonKick
	}
	var e vcpu.Exit
	r.run(t, &e)
	require.Equal(t, vcpu.KindKick, e.Kind)
	require.EqualValues(t, 0x50, *r.c.area.APIC.Reg(vcpu.APICTPR))
	require.EqualValues(t, 0x9004, r.c.area.RIP)
}

// TestMendedCode64: CS as QEMU's SYSENTER leaves it would not be entered again.
func TestMendedCode64(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	for _, foreign := range []uint8{0, 1} {
		r.c.foreign = foreign
		r.c.vmcb.Save.CS.Attrib |= attribL | attribDB
		r.c.afterExit()
		require.Equal(t, foreign == 0, r.c.vmcb.Save.CS.Attrib&attribDB != 0)
		require.NotZero(t, r.c.vmcb.Save.CS.Attrib&attribL)
	}
}

func TestInvalidNamesTheRule(t *testing.T) {
	r := newRig(t, 0)
	r.long(0x1000)
	r.c.vmcb.Save.CR0 |= x86.CR0NW
	r.c.vmcb.Control.GuestASID = 1
	r.exit(ExitInvalid, nil)
	var e vcpu.Exit
	err := r.v.Run(&e)
	require.ErrorIs(t, err, vcpu.ErrInvalidState)
	require.ErrorContains(t, err, "CR0.CD is zero and CR0.NW is set")
	require.Equal(t, vcpu.KindInvalid, e.Kind)
}

func TestClose(t *testing.T) {
	r := newRig(t, 0)
	require.Error(t, r.vm.Close(), "a vCPU is left")
	_, err := r.vm.NewVCPU(0)
	require.Error(t, err, "exists already")
	_, err = r.vm.NewVCPU(vcpu.MaxVCPUs)
	require.Error(t, err)
	second, err := r.vm.NewVCPU(3)
	require.NoError(t, err)
	require.EqualValues(t, 4, r.vm.area.NumVCPUs)
	require.Same(t, second.Area(), r.vm.area.Vcpu(3))
	require.NoError(t, second.Close())
	require.Nil(t, r.vm.area.Vcpu(3))
	r.v.Kick()
	require.Equal(t, 1, r.kicks)
	require.NoError(t, r.v.Close())
	r.v.Kick()
	require.Equal(t, 1, r.kicks)
	require.ErrorIs(t, r.v.Close(), vcpu.ErrClosed)
	require.ErrorIs(t, r.v.Run(&vcpu.Exit{}), vcpu.ErrClosed)
	require.ErrorIs(t, r.v.Load(x86.GroupAll, &x86.State{}), vcpu.ErrClosed)
	require.ErrorIs(t, r.v.Inject(vcpu.Event{}), vcpu.ErrClosed)
	require.NoError(t, r.vm.Close())
	require.ErrorIs(t, r.vm.Close(), vcpu.ErrClosed)
	r.vm.stage2.Flush()
	_, err = r.arena.Alloc(memory.Page4K)
	require.NoError(t, err)
}
