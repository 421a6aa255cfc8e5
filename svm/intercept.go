package svm

import "ringo/x86"

// Bits of ControlArea.InterceptMisc1 (APM volume 2, table B-1, offset 00CH).
const (
	InterceptINTR        = 1 << 0
	InterceptNMI         = 1 << 1
	InterceptSMI         = 1 << 2
	InterceptINIT        = 1 << 3
	InterceptVINTR       = 1 << 4
	InterceptCR0SelWrite = 1 << 5
	InterceptIDTRRead    = 1 << 6
	InterceptGDTRRead    = 1 << 7
	InterceptLDTRRead    = 1 << 8
	InterceptTRRead      = 1 << 9
	InterceptIDTRWrite   = 1 << 10
	InterceptGDTRWrite   = 1 << 11
	InterceptLDTRWrite   = 1 << 12
	InterceptTRWrite     = 1 << 13
	InterceptRDTSC       = 1 << 14
	InterceptRDPMC       = 1 << 15
	InterceptPUSHF       = 1 << 16
	InterceptPOPF        = 1 << 17
	InterceptCPUID       = 1 << 18
	InterceptRSM         = 1 << 19
	InterceptIRET        = 1 << 20
	InterceptINTn        = 1 << 21
	InterceptINVD        = 1 << 22
	InterceptPAUSE       = 1 << 23
	InterceptHLT         = 1 << 24
	InterceptINVLPG      = 1 << 25
	InterceptINVLPGA     = 1 << 26
	InterceptIOIOProt    = 1 << 27
	InterceptMSRProt     = 1 << 28
	InterceptTaskSwitch  = 1 << 29
	InterceptFERRFreeze  = 1 << 30
	InterceptShutdown    = 1 << 31
)

// Bits of ControlArea.InterceptMisc2 (offset 010H).
const (
	InterceptVMRUN       = 1 << 0
	InterceptVMMCALL     = 1 << 1
	InterceptVMLOAD      = 1 << 2
	InterceptVMSAVE      = 1 << 3
	InterceptSTGI        = 1 << 4
	InterceptCLGI        = 1 << 5
	InterceptSKINIT      = 1 << 6
	InterceptRDTSCP      = 1 << 7
	InterceptICEBP       = 1 << 8
	InterceptWBINVD      = 1 << 9
	InterceptMONITOR     = 1 << 10
	InterceptMWAIT       = 1 << 11
	InterceptMWAITArmed  = 1 << 12
	InterceptXSETBV      = 1 << 13
	InterceptRDPRU       = 1 << 14
	InterceptEFERWriteTr = 1 << 15
)

// Bits of ControlArea.InterceptMisc3 (offset 014H).
const (
	InterceptINVLPGB        = 1 << 0
	InterceptIllegalINVLPGB = 1 << 1
	InterceptINVPCID        = 1 << 2
	InterceptMCOMMIT        = 1 << 3
	InterceptTLBSYNC        = 1 << 4
	InterceptBusLock        = 1 << 5
	InterceptIdleHLT        = 1 << 6
)

// InterceptCR8Write is the write of CR8 in ControlArea.InterceptCRWrite. It
// is set only while a virtual interrupt waits.
const InterceptCR8Write = 1 << 8

// interceptDR is every debug register: DR0 to DR3 are not in the VMCB, so the
// first access of the guest makes them live (debug.go).
const interceptDR = 0xFFFF

// interceptException: #DB and #AC, because a guest whose delivery of either
// raises it again would keep the processor in microcode for ever; #MC, because
// the error is the host's.
const interceptException = 1<<x86.VectorDB | 1<<x86.VectorAC | 1<<x86.VectorMC

// interceptMisc1 is what every guest is stopped at. Not in it, on purpose:
// selective CR0 writes, descriptor table and INVLPG accesses (the processor
// virtualizes them under nested paging), RDTSC (offset in hardware), PUSHF,
// POPF and INTn (nothing to virtualize), VINTR and IRET (only while a window
// is wanted).
const interceptMisc1 = InterceptINTR | // physical interrupts belong to the host
	InterceptNMI | // so do NMIs
	InterceptSMI | // and SMIs: taken after STGI, outside guest state
	InterceptINIT | // a host INIT must not reset the guest alone
	InterceptRDPMC | // counters would show the host's work
	InterceptCPUID | // answered from Area.CPUID
	InterceptRSM | // a guest has no SMM
	InterceptINVD | // would drop the host's dirty cache lines
	InterceptHLT | // the CPU can run something else
	InterceptINVLPGA | // would touch other ASIDs
	InterceptIOIOProt | // with an all-ones IOPM: no port is the guest's
	InterceptMSRProt | // with the MSRPM of permission.go
	InterceptTaskSwitch | // hardware task switches are not emulated
	InterceptFERRFreeze | // the legacy FERR# wait would freeze the CPU
	InterceptShutdown // a triple fault ends the VM, not the machine

// interceptMisc2 is the same for the second word. RDTSCP is absent: it reads
// the guest's own TSC_AUX. ICEBP ends in #DB, which is intercepted.
const interceptMisc2 = InterceptVMRUN | // required by VMRUN's own checks
	InterceptVMMCALL | // hypercalls
	InterceptVMLOAD | // reads host-physical memory
	InterceptVMSAVE | // writes host-physical memory
	InterceptSTGI | // GIF is the host's
	InterceptCLGI |
	InterceptSKINIT | // restarts the machine
	InterceptWBINVD | // would empty caches that others use
	InterceptMONITOR | // not offered to guests
	InterceptMWAIT |
	InterceptMWAITArmed |
	InterceptXSETBV // XCR0 is checked against the policy
