package x86

// Bits of RFLAGS (SDM volume 1, section 3.4.3 "EFLAGS Register").
const (
	FlagCF        = 1 << 0
	FlagReserved1 = 1 << 1 // always 1
	FlagPF        = 1 << 2
	FlagAF        = 1 << 4
	FlagZF        = 1 << 6
	FlagSF        = 1 << 7
	FlagTF        = 1 << 8
	FlagIF        = 1 << 9
	FlagDF        = 1 << 10
	FlagOF        = 1 << 11
	FlagIOPL      = 3 << 12
	FlagNT        = 1 << 14
	FlagRF        = 1 << 16
	FlagVM        = 1 << 17
	FlagAC        = 1 << 18
	FlagVIF       = 1 << 19
	FlagVIP       = 1 << 20
	FlagID        = 1 << 21

	// FlagIOPLShift moves IOPL to bits 1:0.
	FlagIOPLShift = 12
	// FlagsStatus are the flags that arithmetic sets.
	FlagsStatus = FlagCF | FlagPF | FlagAF | FlagZF | FlagSF | FlagOF
	// FlagsValid are all flags that exist.
	FlagsValid = FlagsStatus | FlagReserved1 | FlagTF | FlagIF | FlagDF | FlagIOPL | FlagNT |
		FlagRF | FlagVM | FlagAC | FlagVIF | FlagVIP | FlagID
)
