package nucleus

import (
	"unsafe"

	"ringo/nucleus/reg"
	"ringo/x86"
)

const bootStackSize = 64 << 10

// bootStack is the stack of the first CPU from the trampoline on, and its
// nucleus stack for good.
var bootStack [bootStackSize]byte

// entryTSC is the TSC at the image's first instruction.
var entryTSC uint64

// bootMain runs once, on the first CPU, from the trampoline to the first
// instruction of the Go runtime. It never returns.
func bootMain(hand uintptr) {
	directOff = directBase
	earlySerial()
	readHandoff(phys(hand))
	readOptions()
	entryTSC = bootInfo.hand.EntryTSC
	checkProcessor()
	initFrames()
	initTables()
	cpus[0].initTablesOfCPU(0)
	initIDT()
	cpus[0].enable()
	maskPICs()
	initAPIC(&cpus[0])
	cpus[0].apicID = apicNumber()
	tscBase = entryTSC
	setTimerFrequencies(calibrate())
	wallBase = readRTC()*1_000_000_000 - nanotime()
	seedRandom()
	startTimer()
	initDescriptors()
	buildVDSO()
	cpus[0].online.Store(1)
	nCPU.Store(1)
	initInterrupts()
	startCPUs()
	resume(firstThread())
}

// checkProcessor refuses a processor that lacks what the nucleus is built on.
func checkProcessor() {
	_, _, ecx, edx := reg.CPUID(1, 0)
	if edx&(1<<9) == 0 {
		fatal("boot: the processor has no local APIC (CPUID 1 EDX bit 9)")
	}
	haveXSAVE = ecx&(1<<26) != 0
	max, _, _, _ := reg.CPUID(0, 0)
	if max >= 7 {
		_, ebx, _, _ := reg.CPUID(7, 0)
		if ebx&1 != 0 {
			return
		}
	}
	fatal("boot: the processor lacks FSGSBASE (CPUID 7 EBX bit 0); Ringo needs an Intel processor from 2012 on or an AMD processor from 2014 on")
}

// initFrames makes all RAM below 4 GiB that nothing occupies allocatable; the
// rest follows when the direct map covers it.
func initFrames() {
	for i := 0; i < bootInfo.nRanges; i++ {
		if r := &bootInfo.ranges[i]; r.kind == e820RAM && r.to > frameTop {
			frameTop = r.to
		}
	}
	need := phys(frameTop>>pageShift+pageSize-1) &^ (pageSize - 1)
	frameByteAt := takeEarly(need)
	frameByte = physPtr(frameByteAt)
	clearBytes(frameByte, uintptr(need))
	addFree(frameByteAt, frameByteAt+need, 0, 1<<32)
}

// addFree frees the part of RAM in [low, high) except for [skipFrom, skipTo).
func addFree(skipFrom, skipTo, low, high phys) {
	add := func(from, to phys) {
		from, to = max(from, low), min(to, high)
		if from < to {
			addFrames(from, to)
		}
	}
	eachFree(func(from, to phys) {
		add(from, min(to, max(from, skipFrom)))
		add(max(from, min(to, skipTo)), to)
	})
}

// takeEarly finds room for n bytes below 4 GiB, at the end of the first free
// range that is large enough.
func takeEarly(n phys) phys {
	var at phys
	eachFree(func(from, to phys) {
		to = min(to, 1<<32)
		if at == 0 && to > from && to-from > n {
			at = to - n
		}
	})
	if at == 0 {
		fatal("boot: no room for the frame table below 4 GiB: the machine needs at least 64 MiB of memory")
	}
	return at
}

// initTables builds the program's own page tables: the image by segments with
// W or X but not both, and all RAM in the direct map.
func initTables() {
	rootTable = allocFrame()
	if rootTable == 0 {
		fatal("boot: no memory for page tables")
	}
	h := &bootInfo.hand
	_, _, _, edx := reg.CPUID(0x80000001, 0)
	huge := edx&(1<<26) != 0
	for i := range h.Segments {
		mapSegment(&h.Segments[i])
	}
	mapDirect(0, 2<<20, false)
	for i := 0; i < bootInfo.nRanges; i++ {
		r := &bootInfo.ranges[i]
		ram := r.kind == e820RAM || r.kind == e820ACPI || r.kind == e820NVS
		if (ram || r.to <= frameTop || r.from < 1<<31) && !mapDirect(r.from, r.to, huge) {
			fatal("boot: no memory for the direct map")
		}
	}
	reg.WriteMSR(x86.MSREFER, reg.ReadMSR(x86.MSREFER)|x86.EFERNXE|x86.EFERSCE)
	reg.WriteCR3(uint64(rootTable))
	addFree(0, 0, 1<<32, ^phys(0))
}

func mapSegment(s *segment) {
	h := &bootInfo.hand
	flags := uint64(pteNX)
	prot := uint32(1)
	switch {
	case s.Size == 0:
		return
	case s.Flags&segmentW != 0:
		flags |= pteRW
		prot = 3
	case s.Flags&segmentX != 0:
		flags = 0
		prot = 5
	}
	from := uintptr(s.Virt) &^ (pageSize - 1)
	to := (uintptr(s.Virt+s.Size) + pageSize - 1) &^ (pageSize - 1)
	for v := from; v < to; v += pageSize {
		if !mapPage(v, phys(h.ImagePhys+uint64(v)-h.ImageVirt), 0, flags) {
			fatal("boot: no memory to map the image")
		}
	}
	insertRegion(from, to, prot, 1)
}

// Stack of the first thread, in bytes, and where it ends.
const (
	firstStack    = 256 << 10
	firstStackTop = 0x00007ffffffde000
)

// firstThread makes the thread that runs the Go runtime's entry point, with
// the arguments, environment and auxiliary vector that Linux would give.
func firstThread() *Thread {
	id := newThread()
	if id == 0 {
		fatal("boot: no memory for the first thread")
	}
	t := threadAt(id)
	if !insertRegion(firstStackTop-firstStack, firstStackTop, 3, 0) {
		fatal("boot: no room for the first stack")
	}
	t.Regs.RSP = uint64(buildArgs(firstStackTop))
	t.Regs.RIP = uint64(runtimeEntry())
	t.frame = frameSyscall
	c := &cpus[0]
	c.current = uintptr(unsafe.Pointer(t))
	return c.dispatch(t)
}

// initXSAVE is the vector state of a new thread: everything in its initial
// configuration, x87 and SSE exceptions masked.
var initXSAVE = [576]byte{0: 0x7f, 1: 0x03, 24: 0x80, 25: 0x1f}
