package nucleus

import (
	"sync/atomic"
	"unsafe"

	"ringo/nucleus/reg"
	"ringo/x86"
)

// Start of the other processors (SDM volume 3A, section 10.4
// "Multiple-Processor (MP) Initialization"): one after another they run the
// AP trampoline in a page below 1 MiB and arrive in apMain.

// Parameters of the AP trampoline: boot/entry.APParam...
const (
	apPage      = phys(0x8000)
	apParamCR3  = 0x1c0
	apParamTo   = 0x1c8
	apParamSP   = 0x1d0
	apParamArg  = 0x1d8
	apParamEFER = 0x1e0
	apParamCR4  = 0x1e8
	apParamCR0  = 0x1f0
)

// apicNumber is the calling CPU's APIC ID.
func apicNumber() uint32 {
	id := apicRead(apicID)
	if apicPage != 0 {
		id >>= 24
	}
	return id
}

// startCPUs starts every processor that the firmware names, up to maxcpus. One
// that does not answer is reported and left out.
func startCPUs() {
	if acpi.nCPU == 0 || options.maxCPUs == 1 {
		return
	}
	if rootTable >= 1<<32 {
		earlyPrint("nucleus: page tables lie above 4 GiB: other processors are not started\n")
		return
	}
	if !mapPage(uintptr(apPage), apPage, 0, 0) {
		return
	}
	copyBytes(physPtr(apPage), physPtr(phys(bootInfo.hand.APTrampoline)), uintptr(bootInfo.hand.APTrampolineSize))
	flushLocal()
	for i := uint32(0); i < acpi.nCPU && nCPU.Load() < options.maxCPUs; i++ {
		startCPU(acpi.apicIDs[i])
	}
	*walk(uintptr(apPage), 0, false) = 0
	flushLocal()
}

func startCPU(id uint32) {
	n := nCPU.Load()
	c := &cpus[n]
	c.initTablesOfCPU(n)
	c.apicID = id
	p := physPtr(apPage)
	store64(p+apParamCR3, uint64(rootTable))
	store64(p+apParamTo, uint64(apEntryAddr()))
	store64(p+apParamSP, uint64(c.stack))
	store64(p+apParamArg, uint64(uintptr(unsafe.Pointer(c))))
	store64(p+apParamEFER, reg.ReadMSR(x86.MSREFER))
	store64(p+apParamCR4, x86.CR4PAE|x86.CR4OSFXSR|x86.CR4OSXMMEXCPT|x86.CR4FSGSBASE)
	store64(p+apParamCR0, reg.ReadCR0())
	sendICR(id, icrINIT|icrAssert)
	spin(10_000_000) // 10 ms
	for try := 0; try < 2 && c.online.Load() == 0; try++ {
		sendICR(id, icrStartup|icrAssert|uint32(apPage>>pageShift))
		for us := 0; us < 100_000 && c.online.Load() == 0; us += 100 {
			spin(100_000)
		}
	}
	if c.online.Load() == 0 {
		earlyPrint("nucleus: the processor with APIC ID ")
		earlyDec(uint64(id))
		earlyPrint(" did not start; going on without it\n")
		return
	}
	nCPU.Store(n + 1)
}

// spin waits ns without anything else.
func spin(ns uint64) {
	end := after(ns)
	for reg.ReadTSC() < end {
		pause()
	}
}

// apMain is where another processor arrives, on its nucleus stack. It never
// returns: it runs threads and guests, or idles.
func apMain() {
	c := thisCPU()
	c.enable()
	initAPIC(c)
	startTimer()
	c.tlbSeen.Store(tlbGen.Load())
	flushLocal()
	c.online.Store(1)
	for nCPU.Load() <= c.number {
		pause()
		tlbPoll()
	}
	resume(deliver(schedule(c)))
}

// callFn is what OnEachCPU runs.
var (
	callFn   func()
	callLeft atomic.Uint32
)

// runCall runs the function that OnEachCPU asks for.
func (c *CPU) runCall() {
	if c.call.Load() != 0 {
		callFn()
		c.call.Store(0)
		callLeft.Add(^uint32(0))
	}
}

// callAll runs callFn on every CPU and waits for all.
func callAll() {
	self := thisCPU()
	n := nCPU.Load()
	callLeft.Store(n - 1)
	for i := uint32(0); i < n; i++ {
		if c := &cpus[i]; c != self {
			c.call.Store(1)
			sendIPI(c, vectorCall)
		}
	}
	callFn()
	for callLeft.Load() != 0 {
		pause()
		tlbPoll()
	}
}
