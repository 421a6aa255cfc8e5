package nucleus

import "ringo/nucleus/reg"

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
	d := amlTable{acpi.dsdt, uintptr(load32(acpi.dsdt + 4))}
	for i := uintptr(36); i+5 < d.n; i++ {
		if load32(d.at+i) != sig4('_', 'S', '5', '_') || d.byte(i+4) != 0x12 {
			continue
		}
		i += 5
		i += uintptr(d.byte(i)>>6) + 1 // package length
		i++                            // number of elements
		a, i = d.integer(i)
		b, _ = d.integer(i)
		return a, b, true
	}
	return 0, 0, false
}

// amlTable is a definition block at an address, n bytes long.
type amlTable struct{ at, n uintptr }

// byte gives byte i, 0 beyond the end.
func (d amlTable) byte(i uintptr) uint8 {
	if i >= d.n {
		return 0
	}
	return load8(d.at + i)
}

// integer reads a small integer at i, and gives the index after it.
func (d amlTable) integer(i uintptr) (uint16, uintptr) {
	switch op := d.byte(i); op {
	case 0x0a:
		return uint16(d.byte(i + 1)), i + 2
	default:
		return uint16(op & 1), i + 1 // ZeroOp and OneOp
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
	return rtcSeconds([6]uint64{cmos(0), cmos(2), cmos(4), cmos(7), cmos(8), cmos(9)}, cmos(0x0b))
}

// rtcSeconds converts the clock's second, minute, hour, day, month and year of
// this century, in the form that register B says: binary or BCD, 24 hours or
// 12 with the top bit for the afternoon.
func rtcSeconds(r [6]uint64, mode uint64) uint64 {
	const hours24, binary = 2, 4
	pm := r[2] & 0x80
	r[2] &= 0x7f
	if mode&binary == 0 {
		for i := range r {
			r[i] = r[i]>>4*10 + r[i]&15
		}
	}
	if mode&hours24 == 0 {
		r[2] %= 12 // 12 is the first hour of either half
		if pm != 0 {
			r[2] += 12
		}
	}
	return epoch(2000+r[5], r[4], r[3])*86400 + r[2]*3600 + r[1]*60 + r[0]
}

// epoch is the day number since 1970-01-01 in the Gregorian calendar.
func epoch(year, month, day uint64) uint64 {
	if month < 3 {
		month += 12
		year--
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
