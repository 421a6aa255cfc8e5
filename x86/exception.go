package x86

// Exception vectors (SDM volume 3A, table "Protected-Mode Exceptions and
// Interrupts").
const (
	VectorDE  = 0
	VectorDB  = 1
	VectorNMI = 2
	VectorBP  = 3
	VectorOF  = 4
	VectorBR  = 5
	VectorUD  = 6
	VectorNM  = 7
	VectorDF  = 8
	VectorCSO = 9 // coprocessor segment overrun
	VectorTS  = 10
	VectorNP  = 11
	VectorSS  = 12
	VectorGP  = 13
	VectorPF  = 14
	VectorMF  = 16
	VectorAC  = 17
	VectorMC  = 18
	VectorXM  = 19
	VectorVE  = 20 // virtualization exception, Intel
	VectorCP  = 21
	VectorHV  = 28 // hypervisor injection, AMD
	VectorVC  = 29 // VMM communication, AMD
	VectorSX  = 30 // security exception, AMD

	// NumExceptions is the number of vectors that exceptions own.
	NumExceptions = 32
)

// hasErrorCode has a bit for each vector that pushes an error code.
const hasErrorCode = 1<<VectorDF | 1<<VectorTS | 1<<VectorNP | 1<<VectorSS | 1<<VectorGP |
	1<<VectorPF | 1<<VectorAC | 1<<VectorCP | 1<<VectorVC | 1<<VectorSX

// HasErrorCode tells whether the exception v pushes an error code in
// protected mode.
func HasErrorCode(v uint8) bool {
	return v < NumExceptions && hasErrorCode>>v&1 != 0
}

// vectorNames are the manual's mnemonics by vector.
var vectorNames = [NumExceptions]string{
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "CSO", "#TS", "#NP", "#SS", "#GP", "#PF",
	16: "#MF", 17: "#AC", 18: "#MC", 19: "#XM", 20: "#VE", 21: "#CP", 28: "#HV", 29: "#VC", 30: "#SX",
}

// VectorName is the mnemonic of an exception, or "" for a vector that none has.
func VectorName(v uint8) string {
	if v >= NumExceptions {
		return ""
	}
	return vectorNames[v]
}

// Bits of an error code that names a selector or a gate.
const (
	ErrorCodeEXT = 1 << 0
	ErrorCodeIDT = 1 << 1
	ErrorCodeTI  = 1 << 2
)

// contributory has a bit for each contributory exception (SDM volume 3A,
// table "Interrupt and Exception Classes").
const contributory = 1<<VectorDE | 1<<VectorTS | 1<<VectorNP | 1<<VectorSS | 1<<VectorGP |
	1<<VectorCP | 1<<VectorVC

// Combination is what comes of an exception during the delivery of another.
type Combination uint8

const (
	// CombineSerial delivers the second exception; the first will happen
	// again, or is lost if it was an interrupt, as the processor does.
	CombineSerial Combination = iota
	// CombineDoubleFault delivers #DF with error code 0 instead of both.
	CombineDoubleFault
	// CombineShutdown is a triple fault.
	CombineShutdown
)

// Combine says what a processor does when the exception second is raised
// while it delivers first (SDM volume 3A, table "Conditions for Generating a
// Double Fault"). External interrupts and NMIs as first are benign: pass
// VectorNMI.
func Combine(first, second uint8) Combination {
	isContributory := func(v uint8) bool { return v < NumExceptions && contributory>>v&1 != 0 }
	isPage := func(v uint8) bool { return v == VectorPF || v == VectorVE }
	switch {
	case first == VectorDF && (isContributory(second) || isPage(second)):
		return CombineShutdown
	case isContributory(first) && isContributory(second),
		isPage(first) && (isContributory(second) || isPage(second)):
		return CombineDoubleFault
	}
	return CombineSerial
}
