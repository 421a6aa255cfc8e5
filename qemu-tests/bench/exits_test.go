package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMitigatedRows(t *testing.T) {
	const console = "bench loop 2\nbench cpuid 557\nbench port-read 1414\nbench vmmcall 2049\nbench mmio-write 5187\n"
	rows := pickRows([]byte(console), errors.New("time is up"), inMitigations, mitigated)
	require.Len(t, rows, len(inMitigations))
	require.Equal(t, Row{Name: "cpuid, all mitigations", Unit: unitTicks, Value: 557}, rows[0])
	require.EqualValues(t, 1414, rows[1].Value)
	last := rows[len(rows)-1]
	require.Equal(t, "self-ipi-x2apic, all mitigations", last.Name)
	require.Contains(t, last.Problem, "time is up")
	require.Contains(t, last.Problem, "self-ipi-x2apic")
}
