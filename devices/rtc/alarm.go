package rtc

// field is one byte of the alarm: a number, or anything.
type field struct {
	any bool
	v   int
}

func (f field) matches(n int) bool { return f.any || f.v == n }

// possible says whether any number below limit matches.
func (f field) possible(limit int) bool { return f.any || f.v >= 0 && f.v < limit }

func (r *RTC) alarmField(loc uint8) field {
	b, v := r.state.b, r.state.mem[loc]
	switch {
	case v >= alarmAny:
		return field{any: true}
	case loc == locHoursAlarm:
		return field{v: decodeHour(b, v)}
	}
	return field{v: decode(b, v)}
}

// nextAlarm is the first second after the given one whose time of day matches
// the alarm; ok is false if none ever does. A whole day is looked through by
// hours, then minutes, then seconds, at most some 150 steps.
func (r *RTC) nextAlarm(after int64) (at int64, ok bool) {
	hour, min, sec := r.alarmField(locHoursAlarm), r.alarmField(locMinutesAlarm), r.alarmField(locSecondsAlarm)
	if !hour.possible(24) || !min.possible(60) || !sec.possible(60) {
		return 0, false
	}
	t := after + 1
	for end := t + 2*daySecs; t < end; {
		day := ((t % daySecs) + daySecs) % daySecs
		switch {
		case !hour.matches(int(day / 3600)):
			t += 3600 - day%3600
		case !min.matches(int(day / 60 % 60)):
			t += 60 - day%60
		case !sec.matches(int(day % 60)):
			t++
		default:
			return t, true
		}
	}
	return 0, false
}
