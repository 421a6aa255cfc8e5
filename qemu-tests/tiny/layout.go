package tiny

// Guest-physical memory of a program made by Long; its virtual memory is the
// same. 4 MiB of RAM are enough, 6 for Chaos.
const (
	apPage      = 0x8000 // start-up code of the other processors, SIPI vector 8
	LoadAddress = 0x100000

	// The runtime zeroes from here to zeroEnd.
	pageTables   = 0x200000 // PML4, PDPT, four PDs, and one more PD for chaos
	idtBase      = 0x210000 // 256 gates of 16 bytes
	counters     = 0x211000 // interrupts taken by the counting handlers, by vector
	apicIDs      = 0x212000 // 4 bytes for each processor, in order of arrival
	variables    = 0x213000
	programData  = 0x214000 // for the program's own use
	zeroEnd      = 0x220000
	stacks       = 0x220000 // stack n ends at stacks + (n+1)*stackBytes
	stackBytes   = 0x4000
	maxCPUs      = 64
	endOfRuntime = stacks + maxCPUs*stackBytes

	tssBase   = programData + 0x4000 // of a program that uses interrupt stacks
	tssLimit  = 0x67
	chaosPage = 0x400000 // where Chaos runs random code: 2 MiB, open to CPL 3
)

// Variables of the runtime.
const (
	varStartInfo = variables + 0x00 // hvm_start_info, as PVH gave it
	varCPUs      = variables + 0x08 // processors that have arrived
	varX2APIC    = variables + 0x10 // 1: the local APIC is in x2APIC mode
	varRandom    = variables + 0x18 // state of the random generator
)

// Ports and values to talk to the host with.
const (
	SerialPort    = 0x3f8
	ExitPort      = 0xf4
	ExitOK        = 0
	ExitFailed    = 1    // what the program checks is not so
	ExitException = 0x70 // an exception that the program did not expect
)

// Selectors of the runtime's GDT.
const (
	selCode64 = 0x08
	selData   = 0x10
	selCode32 = 0x18
	selCode16 = 0x20
	selData16 = 0x28
	selUser64 = 0x30 | 3
	selUserD  = 0x38 | 3
	selUser32 = 0x40 | 3
	selTSS    = 0x48
	gdtSize   = 0x58
)
