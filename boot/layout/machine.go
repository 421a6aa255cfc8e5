package layout

import "ringo/memory"

// Machine is the name of the machine version whose addresses these are. They
// never change under this name: a saved guest has them in its own tables.
const Machine = "ringo-1"

// Memory-mapped devices, all inside the hole.
const (
	IOAPICBase      memory.GPA = 0xFEC0_0000
	IOAPICSize                 = 0x1000
	HPETBase        memory.GPA = 0xFED0_0000 // reserved for a later HPET
	HPETSize                   = 0x1000
	DebugWindowBase memory.GPA = 0xFEDE_0000 // memory-mapped twin of the debug-exit port
	DebugWindowSize            = 0x1000
	LAPICBase       memory.GPA = 0xFEE0_0000
	LAPICSize                  = 0x1000
)

// Ports, in ascending order.
const (
	PIC1Port      = 0x020 // 2 ports
	PITPort       = 0x040 // 4 ports
	RTCPort       = 0x070 // 2 ports
	PIC2Port      = 0x0A0 // 2 ports
	DebugConPort  = 0x0E9
	DebugExitPort = 0x0F4
	COM1Port      = 0x3F8 // 8 ports
	ELCRPort      = 0x4D0 // 2 ports
	PMBase        = 0x600
	PM1EventPort  = PMBase     // PM1a_EVT_BLK, 4 bytes
	PM1CntPort    = PMBase + 4 // PM1a_CNT_BLK, 2 bytes
	PMTimerPort   = PMBase + 8 // PM_TMR_BLK, 4 bytes
	PMSize        = 0x10
	ResetPort     = 0xCF9
)

// ISA interrupts, which are also the IOAPIC's inputs but for the PIT.
const (
	PITIRQ  = 0
	PITGSI  = 2 // the IOAPIC input that IRQ 0 is wired to
	COM1IRQ = 4
	RTCIRQ  = 8
	SCIIRQ  = 9 // active high, level-triggered
)

// Values that the guest's ACPI tables and the power-management device share.
const (
	ResetValue  = 0x06 // written to ResetPort: hard reset
	S5SleepType = 5    // SLP_TYPa of the soft-off state
	RTCCentury  = 0x32 // CMOS index of the century
)

// IOAPICID is the IOAPIC's identification, as its register gives it.
const IOAPICID = 0
