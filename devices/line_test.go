package devices_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/devices"
)

func TestOutputPassesOnChanges(t *testing.T) {
	var got []bool
	o := devices.NewOutput(devices.LineFunc(func(level bool) { got = append(got, level) }))
	for _, level := range []bool{false, true, true, false, false} {
		o.Set(level)
	}
	require.Equal(t, []bool{true, false}, got)
	o.Force(false)
	require.Equal(t, []bool{true, false, false}, got)
}

func TestLines(t *testing.T) {
	n := 0
	count := devices.LineFunc(func(level bool) {
		if level {
			n++
		}
	})
	devices.Pulse(devices.Lines{count, count, devices.NoLine})
	require.Equal(t, 2, n)
}
