package rtc

import "time"

// encode gives a number as the data mode of register B has it.
func encode(regB uint8, v int) uint8 {
	if regB&bBinary != 0 {
		return uint8(v)
	}
	return uint8(v/10<<4 | v%10)
}

// decode is the reverse; digits above 9 count as they are.
func decode(regB, v uint8) int {
	if regB&bBinary != 0 {
		return int(v)
	}
	return int(v>>4)*10 + int(v&15)
}

// encodeHour gives an hour from 0 to 23 in 12 or 24-hour mode.
func encodeHour(regB uint8, h int) uint8 {
	if regB&b24Hour != 0 {
		return encode(regB, h)
	}
	v := encode(regB, (h+11)%12+1)
	if h >= 12 {
		v |= hourPM
	}
	return v
}

// decodeHour is the reverse.
func decodeHour(regB, v uint8) int {
	if regB&b24Hour != 0 {
		return decode(regB, v)
	}
	h := decode(regB, v&^hourPM) % 12
	if v&hourPM != 0 {
		h += 12
	}
	return h
}

// calendar is the time of day as the locations hold it, in numbers.
type calendar struct {
	sec, min, hour int
	weekday        int // 1 is Sunday
	day, month     int
	year, century  int
}

func newCalendar(t time.Time) calendar {
	return calendar{
		sec: t.Second(), min: t.Minute(), hour: t.Hour(), weekday: int(t.Weekday()) + 1,
		day: t.Day(), month: int(t.Month()), year: t.Year() % baseYears, century: t.Year() / baseYears,
	}
}

// unix is the time in seconds; dates that do not exist are carried over.
func (c *calendar) unix() int64 {
	return time.Date(c.century*baseYears+c.year, time.Month(c.month), c.day, c.hour, c.min, c.sec, 0, time.UTC).Unix()
}

// get reads a time location; ok is false for others.
func (c *calendar) get(regB uint8, loc uint8) (v uint8, ok bool) {
	switch loc {
	case locSeconds:
		return encode(regB, c.sec), true
	case locMinutes:
		return encode(regB, c.min), true
	case locHours:
		return encodeHour(regB, c.hour), true
	case locWeekday:
		return encode(regB, c.weekday), true
	case locDay:
		return encode(regB, c.day), true
	case locMonth:
		return encode(regB, c.month), true
	case locYear:
		return encode(regB, c.year), true
	case locCentury:
		return encode(regB, c.century), true
	}
	return 0, false
}

// set writes a time location; it is false for others.
func (c *calendar) set(regB uint8, loc, v uint8) bool {
	n := decode(regB, v)
	switch loc {
	case locSeconds:
		c.sec = n
	case locMinutes:
		c.min = n
	case locHours:
		c.hour = decodeHour(regB, v)
	case locWeekday:
		c.weekday = n
	case locDay:
		c.day = n
	case locMonth:
		c.month = n
	case locYear:
		c.year = n
	case locCentury:
		c.century = n
	default:
		return false
	}
	return true
}
