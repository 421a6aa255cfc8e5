package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func values(rows []Row) map[string]float64 {
	m := map[string]float64{}
	for _, r := range rows {
		m[r.Name] = r.Value
	}
	return m
}

func TestBootRows(t *testing.T) {
	rows := bootRows([]byte(bootConsole), nil)
	require.Len(t, rows, 1)
	require.InDelta(t, 1385.181758, rows[0].Value, 1e-6)

	rows = bootRows([]byte("[    0.1] Kernel panic"), errors.New("step 1 of 2 never appeared"))
	require.Len(t, rows, 1)
	require.Contains(t, rows[0].Problem, "never appeared")
}

func TestMetricRows(t *testing.T) {
	rows := metricRows([]byte(bootConsole), nil)
	v := values(rows)
	require.EqualValues(t, 415+1+472+785+975+631, v["linux-boot-exits"])
	require.Equal(t, "linux-boot-exits: stage2", rows[1].Name, "the most frequent kind comes first")
	require.EqualValues(t, 975, rows[1].Value)
	require.InDelta(t, 28.765226, v["entry-to-guest"], 1e-6)
	busy := 1416822391.0 - 28765226 - 100
	require.InDelta(t, 100*(busy-1371011022)/busy, v["linux-boot-host"], 1e-9)

	rows = metricRows([]byte("RINGO-INIT tsc=000000005290323e"), nil)
	require.Len(t, rows, 3)
	for _, r := range rows {
		require.NotEmpty(t, r.Problem, r.Name)
	}
}

func TestHostShareOfNothing(t *testing.T) {
	require.Zero(t, hostShare(metrics{Ticks: 5}, metrics{Ticks: 5}))
	require.Zero(t, hostShare(metrics{}, metrics{Ticks: 10, Guest: 11}), "counters are not read at one instant")
	require.EqualValues(t, 50, hostShare(metrics{}, metrics{Ticks: 14, Idle: 4, Guest: 5}))
}

func TestBareRow(t *testing.T) {
	require.EqualValues(t, 1500, bareRow("linux-boot-bare", 1.5e9, nil).Value)
	require.Equal(t, "no emulator", bareRow("linux-boot-bare", 0, errors.New("no emulator")).Problem)
}
