package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExitRows(t *testing.T) {
	rows, err := exitRows([]byte("boot\nbench loop 8\r\n[x] bench cpuid 568\nbench eoi-x2apic 4000\n"))
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Equal(t, Row{Name: "loop", Unit: unitTicks, Value: 8}, rows[0])
	require.Equal(t, Row{Name: "cpuid", Unit: unitTicks, Value: 568}, rows[1])
	require.Equal(t, "eoi-x2apic", rows[2].Name)

	_, err = exitRows([]byte("bench loop 99999999999999999999\n"))
	require.Error(t, err)
	_, err = exitRows([]byte("[    0.0] Linux version 6.1\n"))
	require.ErrorIs(t, err, ErrSilent)
}

// The VM has ended before the console has shown all that its guest printed.
func TestExitRowsWithMetricsInALine(t *testing.T) {
	rows, err := exitRows([]byte("bench hlt-deadline-x2ap\r\nringo-metrics {\"event\":\"end\",\"exits\":{\"hlt\":1}}\r\nic 4128\r\n[tiny: debug exit]\n"))
	require.NoError(t, err)
	require.Equal(t, []Row{{Name: "hlt-deadline-x2apic", Unit: unitTicks, Value: 4128}}, rows)
}

func TestCounter(t *testing.T) {
	n, err := counter([]byte("x\nRINGO-INIT tsc=000000027e7b4851\n"), initLine)
	require.NoError(t, err)
	require.EqualValues(t, 0x27e7b4851, n)
	n, err = counter([]byte("\nfirmware tsc=00000000000004d2\n"), firmwareLine)
	require.NoError(t, err)
	require.EqualValues(t, 1234, n)
	_, err = counter([]byte("nothing"), initLine)
	require.ErrorIs(t, err, ErrSilent)
}

// bootConsole was recorded from a run of bootRun.
const bootConsole = `ringo-metrics {"event":"up","ticks":24943750,"idle":0,"free":1016332288,"memory":0,"tables":0}
ringo> [K[attached to linux; Ctrl-] returns to Ringo]

ringo-metrics {"event":"start","ticks":28765226,"idle":100,"free":997150720,"memory":18874368,"tables":12288,"vm":"linux"}
[    0.081794] PCI: Fatal: No config space access function found
RINGO-INIT tsc=000000005290323e
[    1.215534] reboot: Power down

ringo-metrics {"event":"end","ticks":1416822391,"idle":200,"free":1016008704,"memory":0,"tables":0,"vm":"linux","guest":1371011022,"host":2273530,"exits":{"cpuid":415,"cr":1,"ext-int":472,"pio":785,"stage2":975,"wrmsr":631},"fast":{"cpuid":149}}
`

func TestMetrics(t *testing.T) {
	all, err := metricsOf([]byte(bootConsole))
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Equal(t, metrics{Event: eventUp, Ticks: 24943750, Free: 1016332288}, all[0])
	require.Equal(t, "linux", all[2].VM)
	require.EqualValues(t, 631, all[2].Exits["wrmsr"])

	_, err = event(all, "nonsense")
	require.ErrorIs(t, err, ErrSilent)
	_, err = metricsOf([]byte(`ringo-metrics {"event":"up","ticks":-1}`))
	require.Error(t, err)
	all, err = metricsOf([]byte("ringo> no metrics\n"))
	require.NoError(t, err)
	require.Empty(t, all)
}

// A run ends as soon as its last pattern matches, so the pattern must not match
// before the whole line is there.
func TestMetricsPatternWaitsForTheEndOfTheLine(t *testing.T) {
	re := regexp.MustCompile(metricsPattern(`"event":"end"`))
	at := strings.Index(bootConsole, `ringo-metrics {"event":"end"`)
	line := strings.TrimSuffix(bootConsole[at:], "\n")
	require.True(t, re.MatchString(line))
	for n := range line {
		require.False(t, re.MatchString(line[:n]), line[:n])
	}
	require.False(t, re.MatchString(bootConsole[:at]), "another event")
}
