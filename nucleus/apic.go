package nucleus

import (
	"math/bits"
	"unsafe"

	"ringo/nucleus/reg"
	"ringo/x86"
)

// The host's local APIC, through MSRs where the processor has x2APIC, else
// through its page (SDM volume 3A chapter 11 "Advanced Programmable Interrupt
// Controller (APIC)").

// Vectors of the host. Device interrupts use 0x30 to 0xEF.
const (
	vectorSpurious = 0xFF
	vectorTimer    = 0xFE
	vectorResched  = 0xFD
	vectorTLB      = 0xFC
	vectorCall     = 0xFB
	vectorError    = 0xFA
	vectorDevice   = 0x30
)

// Register offsets in the xAPIC page; the x2APIC MSR is 800H + offset/16.
const (
	apicID       = 0x20
	apicTPR      = 0x80
	apicEOI      = 0xB0
	apicSVR      = 0xF0
	apicICR      = 0x300
	apicICRHigh  = 0x310
	apicLVTTimer = 0x320
	apicLVTPerf  = 0x340
	apicLVT0     = 0x350
	apicLVT1     = 0x360
	apicLVTError = 0x370
	apicInitial  = 0x380
	apicCurrent  = 0x390
	apicDivide   = 0x3E0

	lvtMasked      = 1 << 16
	lvtTSCDeadline = 2 << 17
	lvtNMI         = 4 << 8

	icrINIT    = 5 << 8
	icrStartup = 6 << 8
	icrNMI     = 2 << 8
	icrBusy    = 1 << 12
	icrAssert  = 1 << 14
)

var (
	apicPage    uintptr // 0 in x2APIC mode
	apicMul     uint64  // APIC timer ticks per TSC tick, times 2^32
	tscDeadline bool
)

func apicRead(off uint32) uint32 {
	if apicPage == 0 {
		return uint32(reg.ReadMSR(x86.MSRx2APICBase + off>>4))
	}
	return reg.Load32(unsafe.Pointer(apicPage + uintptr(off)))
}

func apicWrite(off, v uint32) {
	if apicPage == 0 {
		reg.WriteMSR(x86.MSRx2APICBase+off>>4, uint64(v))
		return
	}
	reg.Store32(unsafe.Pointer(apicPage+uintptr(off)), v)
}

// initAPIC enables the local APIC of the calling CPU.
func initAPIC(c *CPU) {
	base := reg.ReadMSR(x86.MSRAPICBase) | 1<<11
	_, _, ecx, _ := reg.CPUID(1, 0)
	tcg := onTCG()
	if ecx&(1<<21) != 0 && !tcg { // a store to the page is AfterExit's fast way
		base |= 1 << 10
		reg.WriteMSR(x86.MSRAPICBase, base)
	} else {
		reg.WriteMSR(x86.MSRAPICBase, base)
		if apicPage == 0 {
			apicPage = mapMMIO(phys(base&pteAddr), pageSize)
		}
		if tcg {
			pollAt = apicPage + apicTPR
		}
	}
	tscDeadline = ecx&(1<<24) != 0
	c.apicID = apicRead(apicID)
	if apicPage != 0 {
		c.apicID >>= 24
	}
	apicWrite(apicSVR, 1<<8|vectorSpurious)
	apicWrite(apicLVT0, lvtMasked)
	apicWrite(apicLVT1, lvtNMI)
	apicWrite(apicLVTPerf, lvtMasked)
	apicWrite(apicLVTError, vectorError)
	apicWrite(apicDivide, 0xB) // by 1
	apicWrite(apicLVTTimer, lvtMasked|vectorTimer)
}

// startTimer lets the timer of the calling CPU interrupt.
func startTimer() {
	if tscDeadline {
		apicWrite(apicLVTTimer, lvtTSCDeadline|vectorTimer)
		return
	}
	apicWrite(apicLVTTimer, vectorTimer)
}

func apicTimerStart(count uint32) { apicWrite(apicInitial, count) }
func apicTimerCount() uint32      { return apicRead(apicCurrent) }

func setTimerFrequencies(tsc, apic uint64) {
	setTSCFrequency(tsc)
	apicMul, _ = bits.Div64(apic>>32, apic<<32, tsc)
}

// setHardwareTimer makes the timer interrupt come at TSC when, or never for 0.
func setHardwareTimer(when uint64) {
	if tscDeadline {
		reg.WriteMSR(x86.MSRTSCDeadline, when)
		return
	}
	if when == 0 {
		apicTimerStart(0)
		return
	}
	count := uint64(1)
	if now := reg.ReadTSC(); when > now {
		hi, lo := bits.Mul64(when-now, apicMul)
		count = hi<<32 | lo>>32
		if hi>>32 != 0 || count > 1<<31 {
			count = 1 << 31
		}
		count++
	}
	apicTimerStart(uint32(count))
}

func apicEndOfInterrupt() { apicWrite(apicEOI, 0) }

// sendICR sends an interrupt command to one APIC and waits until it is taken.
func sendICR(dest, low uint32) {
	if apicPage == 0 {
		reg.WriteMSR(x86.MSRx2APICBase+apicICR>>4, uint64(dest)<<32|uint64(low))
		return
	}
	for apicRead(apicICR)&icrBusy != 0 {
		pause()
	}
	apicWrite(apicICRHigh, dest<<24)
	apicWrite(apicICR, low)
}

func sendIPI(c *CPU, vector uint32) { sendICR(c.apicID, icrAssert|vector) }
