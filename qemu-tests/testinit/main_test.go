package main

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	require.Equal(t, options{end: "poweroff"}, parse("console=ttyS0 quiet\n"))
	require.Equal(t, options{checks: []string{"timer", "cpus"}, end: "stay"},
		parse("quiet ringo.test=timer,,cpus ringo.end=stay\n"))
}

func TestReport(t *testing.T) {
	require.Regexp(t, `^RINGO-GUEST-UP cpus=[1-9]\d* mem=\d+kB clocksource=.*$`, report())
	require.Equal(t, "512kB", memTotal("A: 1 kB\nMemTotal:     512 kB\n"))
	require.Equal(t, "unknown", memTotal(""))
}

func TestInterrupts(t *testing.T) {
	counts, err := parseInterrupts("   CPU0 CPU1\nNMI: 1 2 Non-maskable\nLOC:  10  20   Local timer interrupts\n")
	require.NoError(t, err)
	require.Equal(t, []uint64{10, 20}, counts)
	_, err = parseInterrupts("")
	require.Error(t, err)
}

// TestChecks runs those checks that an ordinary process may run.
func TestGrown(t *testing.T) {
	require.True(t, grown([]uint64{1, 2}, []uint64{11, 12}, 10))
	require.False(t, grown([]uint64{1, 2}, []uint64{11, 11}, 10))
	require.False(t, grown([]uint64{1, 2}, []uint64{20}, 10), "a CPU is gone")
}

func TestChecks(t *testing.T) {
	for _, name := range []string{"timer", "clock", "cpus", "churn"} {
		require.NoError(t, runCheck(name), name)
	}
	require.Error(t, runCheck("nope"))
	kib, err := meminfo("MemTotal:")
	require.NoError(t, err)
	require.Positive(t, kib)
	require.Error(t, onEachCPU(func(cpu int) error { return bind(1023) }), "a CPU that is not there; this has %d", runtime.NumCPU())
}
