package apic

import "ringo/hv/vcpu"

// numRegs is how many register indices the xAPIC page and the x2APIC MSRs
// have in common; what follows is reserved.
const numRegs = 0x40

// version: 14H, highest LVT entry 6, bit 24 (EOI-broadcast suppression) clear
// (SDM volume 3A, section 11.4.8 "Local APIC Version Register").
const version = 0x14 | 6<<16

// Bits of the spurious-interrupt vector register (section 11.9 "Spurious
// Interrupt").
const (
	svrEnable = 1 << 8
	svrFocus  = 1 << 9 // kept for software that sets it; does nothing
	svrReset  = 0xFF
	svrMask   = 0xFF | svrEnable | svrFocus
)

// Fields of the local vector table (section 11.5.1 "Local Vector Table").
const (
	lvtVector     = 0xFF
	lvtModeShift  = 8
	lvtMode       = 7 << lvtModeShift
	lvtStatus     = 1 << 12 // read-only, never set: delivery takes no time
	lvtPolarity   = 1 << 13
	lvtRemoteIRR  = 1 << 14 // read-only
	lvtTrigger    = 1 << 15
	lvtMasked     = 1 << 16
	lvtTimerMode  = 3 << 17
	lvtReset      = lvtMasked
	timerOneShot  = 0 << 17
	timerPeriodic = 1 << 17
	timerDeadline = 2 << 17
)

// Writable bits of each LVT register.
const (
	lvtTimerMask = lvtVector | lvtMasked | lvtTimerMode
	lvtMask      = lvtVector | lvtMode | lvtMasked // CMCI, thermal, performance
	lvtLINTMask  = lvtMask | lvtPolarity | lvtTrigger
	lvtErrorMask = lvtVector | lvtMasked
	lvtReadOnly  = lvtStatus | lvtRemoteIRR // may be written, has no effect
)

// Fields of the interrupt command register (section 11.6.1).
const (
	icrModeShift      = 8
	icrLogical        = 1 << 11
	icrStatus         = 1 << 12
	icrAssert         = 1 << 14
	icrLevel          = 1 << 15
	icrShorthand      = 3 << 18
	icrSelf           = 1 << 18
	icrAll            = 2 << 18
	icrAllButSelf     = 3 << 18
	icrMask           = 0xFF | 7<<icrModeShift | icrLogical | icrAssert | icrLevel | icrShorthand
	icrDestShift      = 32
	icrXAPICDestShift = 56
)

// Delivery modes of the ICR, the LVT, I/O APIC entries and MSI data.
const (
	DeliveryFixed          = 0
	DeliveryLowestPriority = 1
	DeliverySMI            = 2
	DeliveryNMI            = 4
	DeliveryINIT           = 5
	DeliveryStartUp        = 6
	DeliveryExtINT         = 7
)

// divideMask is the writable part of the divide configuration register.
const divideMask = 0xB

// readable and writable have a bit per register index.
const (
	readable = 1<<vcpu.APICID | 1<<vcpu.APICVersion | 1<<vcpu.APICTPR | 1<<vcpu.APICPPR |
		1<<vcpu.APICLDR | 1<<vcpu.APICDFR | 1<<vcpu.APICSVR |
		0xFFFFFF<<vcpu.APICISR | // ISR, TMR, IRR
		1<<vcpu.APICESR | 1<<vcpu.APICLVTCMCI | 1<<vcpu.APICICR | 1<<vcpu.APICICRHigh |
		0x3F<<vcpu.APICLVTTimer | // the other LVT registers
		1<<vcpu.APICInitCount | 1<<vcpu.APICCurCount | 1<<vcpu.APICDivide
	// xAPICOnly exist in the MMIO page but not as MSRs.
	xAPICOnly = 1<<vcpu.APICDFR | 1<<vcpu.APICICRHigh
)
