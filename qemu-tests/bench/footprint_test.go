package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// idleConsole has VMs that each use 2 MiB of RAM, 12 KiB of tables and 100 KiB
// beside; the first takes 1 MiB more, for good.
func idleConsole(vms int) []byte {
	var s strings.Builder
	free := (hostRAM - 30) << 20
	fmt.Fprintf(&s, "ringo-metrics {\"event\":\"up\",\"ticks\":1,\"free\":%d}\n", free)
	free -= 1 << 20
	for i := range vms {
		free -= 2<<20 + 12<<10 + 100<<10
		fmt.Fprintf(&s, "\nringo-metrics {\"event\":\"start\",\"free\":%d,\"memory\":%d,\"tables\":%d,\"vm\":\"idle%d\"}\n",
			free, (i+1)*2<<20, (i+1)*12<<10, i)
	}
	return []byte(s.String())
}

func TestMemoryRows(t *testing.T) {
	v := values(memoryRows(idleConsole(idleVMs), nil))
	require.EqualValues(t, 30, v["host-memory"])
	require.EqualValues(t, 100, v["vm-memory"])
}

func TestMemoryRowsNeedAllVMs(t *testing.T) {
	for _, console := range [][]byte{idleConsole(idleVMs - 1), nil} {
		rows := memoryRows(console, nil)
		require.Len(t, rows, 2)
		require.Contains(t, rows[0].Problem, ErrSilent.Error())
		require.NotEmpty(t, rows[1].Problem)
	}
}

func TestIdleRunStartsAll(t *testing.T) {
	require.Equal(t, idleVMs, strings.Count(idleRun().Config, "- name: "))
}
