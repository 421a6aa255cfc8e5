package nucleus

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEpoch(t *testing.T) {
	for d := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2400; d = d.AddDate(0, 0, 1) {
		require.EqualValues(t, d.Unix()/86400, epoch(uint64(d.Year()), uint64(d.Month()), uint64(d.Day())), "%v", d)
	}
}

// cmosForm gives a time as the clock's registers hold it.
func cmosForm(d time.Time, mode uint64) (r [6]uint64) {
	r = [6]uint64{uint64(d.Second()), uint64(d.Minute()), uint64(d.Hour()), uint64(d.Day()), uint64(d.Month()), uint64(d.Year() - 2000)}
	pm := uint64(0)
	if mode&2 == 0 {
		if r[2] >= 12 {
			pm = 0x80
		}
		if r[2] %= 12; r[2] == 0 {
			r[2] = 12
		}
	}
	if mode&4 == 0 {
		for i := range r {
			r[i] = r[i]/10<<4 | r[i]%10
		}
	}
	r[2] |= pm
	return r
}

func TestRTCSeconds(t *testing.T) {
	last := time.Date(2099, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Unix(rapid.Int64Range(946684800, last).Draw(t, "seconds"), 0).UTC()
		mode := rapid.Uint64Range(0, 7).Draw(t, "register B")
		require.EqualValues(t, d.Unix(), rtcSeconds(cmosForm(d, mode), mode), "%v", d)
	})
	for hour := range 24 {
		d := time.Date(2026, 2, 28, hour, 30, 15, 0, time.UTC)
		for mode := range uint64(8) {
			require.EqualValues(t, d.Unix(), rtcSeconds(cmosForm(d, mode), mode), "%v, mode %d", d, mode)
		}
	}
}

// TestRTCSecondsOfNonsense: a clock without a battery may hold anything.
func TestRTCSecondsOfNonsense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r [6]uint64
		for i := range r {
			r[i] = uint64(rapid.Byte().Draw(t, "register"))
		}
		s := rtcSeconds(r, uint64(rapid.Byte().Draw(t, "mode")))
		require.True(t, s > 900_000_000 && s < 1<<34, "%d: nanoseconds must not overflow", s)
	})
}

func TestSleepTypes(t *testing.T) {
	for _, c := range []struct {
		body string
		a, b uint16
		ok   bool
	}{
		{"\x08_S5_\x12\x0a\x04\x0a\x05\x0a\x07\x00\x00", 5, 7, true},
		{"\x08_S5_\x12\x06\x04\x01\x00\x00\x00", 1, 0, true},
		{"\x08_S5_\x12\x04\x02\x00\x01", 0, 1, true},
		{"\x08_S5_\x12\x48\x01\x04\x0a\x03\x0a\x02", 3, 2, true}, // the length in two bytes
		{"_S5_ no package, \x08\\_S5_\x12\x06\x02\x0a\x06\x0a\x06", 6, 6, true},
		{"\x08_S4_\x12\x06\x04\x01\x00\x00\x00", 0, 0, false},
		{"", 0, 0, false}, {"_S5_", 0, 0, false}, {"_S5_\x12\x04\x02\x0a", 0, 0, true},
	} {
		acpi.dsdt = guarded(t, table("DSDT", []byte(c.body)...))
		acpi.fadt = acpi.dsdt
		a, b, ok := sleepTypes()
		require.Equal(t, c.ok, ok, "%q", c.body)
		require.Equal(t, [2]uint16{c.a, c.b}, [2]uint16{a, b}, "%q", c.body)
	}
	clearACPI()
	_, _, ok := sleepTypes()
	require.False(t, ok)
}
