package nucleus

import (
	"math/bits"

	"ringo/nucleus/reg"
)

// Power-off and reset of the machine by the firmware's tables (ACPI 6.5,
// sections 4.8.3 "PM1 Control" and 4.8.3.6 "Reset Register").

const (
	fadtPM1a    = 64
	fadtPM1b    = 68
	fadtFlags   = 112
	fadtReset   = 116
	fadtResetTo = 128
	resetSup    = 1 << 10
	slpEn       = 1 << 13
)

// powerOff enters S5. If the machine stays on, it is halted with a message.
func powerOff() {
	if a, b, ok := sleepTypes(); ok {
		reg.Out16(uint16(load32(acpi.fadt+fadtPM1a)), a<<10|slpEn)
		if p := uint16(load32(acpi.fadt + fadtPM1b)); p != 0 {
			reg.Out16(p, b<<10|slpEn)
		}
		spin(1_000_000_000)
	}
	earlyPrint("The machine can be switched off now.\n")
	haltForever()
}

// sleepTypes finds the two values of the package \_S5 in the DSDT, by its name
// and the package that follows; the interpreter for more is not here.
func sleepTypes() (a, b uint16, ok bool) {
	if acpi.fadt == 0 || acpi.dsdt == 0 {
		return 0, 0, false
	}
	n := uintptr(load32(acpi.dsdt + 4))
	for i := uintptr(36); i+12 < n; i++ {
		p := acpi.dsdt + i
		if load32(p) != sig4('_', 'S', '5', '_') || load8(p+4) != 0x12 {
			continue
		}
		p += 5
		p += uintptr(load8(p)>>6) + 1 // package length
		p++                           // number of elements
		a, p = amlByte(p)
		b, _ = amlByte(p)
		return a, b, true
	}
	return 0, 0, false
}

// amlByte reads a small integer of AML.
func amlByte(p uintptr) (uint16, uintptr) {
	switch op := load8(p); op {
	case 0x0a:
		return uint16(load8(p + 1)), p + 2
	default:
		return uint16(op & 1), p + 1 // ZeroOp and OneOp
	}
}

// reboot resets the machine: by the firmware's register, the chip set's, the
// keyboard controller, and at last a triple fault.
func reboot() {
	if acpi.fadt != 0 && load32(acpi.fadt+4) > fadtResetTo && load32(acpi.fadt+fadtFlags)&resetSup != 0 &&
		load8(acpi.fadt+fadtReset) == 1 {
		reg.Out8(uint16(load64(acpi.fadt+fadtReset+4)), load8(acpi.fadt+fadtResetTo))
		spin(50_000_000)
	}
	reg.Out8(0xcf9, 0x06)
	spin(50_000_000)
	reg.Out8(0x64, 0xfe)
	spin(50_000_000)
	lidt(0, 0)
	haltForever()
}

// readRTC reads the time of day from the CMOS clock, in seconds of the epoch,
// UTC assumed (MC146818 data sheet). It reads until two readings agree.
func readRTC() uint64 {
	var last uint64
	for i := 0; i < 16; i++ {
		if t := readRTCOnce(); t == last {
			return t
		} else {
			last = t
		}
	}
	return last
}

func cmos(r uint8) uint64 {
	reg.Out8(0x70, r)
	return uint64(reg.In8(0x71))
}

func readRTCOnce() uint64 {
	for i := 0; i < 1<<14 && cmos(0x0a)&0x80 != 0; i++ {
		pause()
	}
	sec, min, hour := cmos(0), cmos(2), cmos(4)
	day, month, year := cmos(7), cmos(8), cmos(9)
	mode := cmos(0x0b)
	pm := hour & 0x80
	hour &= 0x7f
	if mode&4 == 0 {
		for _, p := range [...]*uint64{&sec, &min, &hour, &day, &month, &year} {
			*p = *p>>4*10 + *p&15
		}
	}
	if mode&2 == 0 && pm != 0 {
		hour = hour%12 + 12
	}
	return epoch(2000+year, month, day)*86400 + hour*3600 + min*60 + sec
}

// epoch is the day number since 1970-01-01 in the Gregorian calendar.
func epoch(year, month, day uint64) uint64 {
	if month < 3 {
		month += 12
		year--
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}

// log2 is the order of the highest bit.
func log2(v uint64) uint { return uint(bits.Len64(v)) - 1 }
