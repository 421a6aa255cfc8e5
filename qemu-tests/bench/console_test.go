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
	require.Equal(t, "cpuid", rows[1].Name)
	require.EqualValues(t, 568, rows[1].Value)
	require.EqualValues(t, 600, *rows[1].Must)
	require.InDelta(t, 0.2, *rows[1].Ratio, 0.001)
	require.Nil(t, rows[2].Must)

	_, err = exitRows([]byte("bench loop 99999999999999999999\n"))
	require.Error(t, err)
	_, err = exitRows([]byte("[    0.0] Linux version 6.1\n"))
	require.ErrorIs(t, err, ErrSilent)
}

func TestFind(t *testing.T) {
	n, err := find([]byte("x\nRINGO-INIT tsc=000000027e7b4851\n"), initLine, 16)
	require.NoError(t, err)
	require.EqualValues(t, 0x27e7b4851, n)
	n, err = find([]byte("firmware 1234 ticks\n"), firmwareLine, 10)
	require.NoError(t, err)
	require.EqualValues(t, 1234, n)
	_, err = find([]byte("nothing"), initLine, 16)
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
