package rtc

// Locations of the CMOS memory.
const (
	locSeconds      = 0x00
	locSecondsAlarm = 0x01
	locMinutes      = 0x02
	locMinutesAlarm = 0x03
	locHours        = 0x04
	locHoursAlarm   = 0x05
	locWeekday      = 0x06
	locDay          = 0x07
	locMonth        = 0x08
	locYear         = 0x09
	locA            = 0x0A
	locB            = 0x0B
	locC            = 0x0C
	locD            = 0x0D
	locCentury      = 0x32

	numLocations = 128
	indexMask    = numLocations - 1 // bit 7 of the index port masks NMI
)

// Register A.
const (
	aUIP     = 1 << 7 // update in progress
	aDivider = 7 << 4
	aStopped = 6 << 4 // divider values from here on hold the clock
	aRate    = 0x0F
	aReset   = 2<<4 | 6 // 32.768 kHz, 1024 Hz
)

// Register B.
const (
	bSet    = 1 << 7 // the guest sets the time: no updates
	bPIE    = 1 << 6
	bAIE    = 1 << 5
	bUIE    = 1 << 4
	bBinary = 1 << 2 // DM: binary rather than BCD
	b24Hour = 1 << 1
	bReset  = b24Hour
)

// Register C. Bits 6:4 are where B has the enables.
const (
	cIRQF  = 1 << 7
	cPF    = bPIE
	cAF    = bAIE
	cUF    = bUIE
	cFlags = cPF | cAF | cUF
)

// dValid is register D: the battery is good.
const dValid = 1 << 7

const (
	hourPM    = 1 << 7 // of the hours in 12-hour mode
	alarmAny  = 0xC0   // alarm bytes from here on match always
	uipNanos  = 244_000
	halfASec  = 500_000_000
	secNanos  = 1_000_000_000
	daySecs   = 86400
	baseYears = 100 // years in a century
)
