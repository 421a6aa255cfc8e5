package hv

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86/asm"
)

func TestHello(t *testing.T) {
	v, r := run(t, func(a *asm.Asm) {
		print(a, "hello")
		exit(a, 42)
	})
	require.Equal(t, CauseDebugExit, r.Cause, "%v %v", r, r.Report)
	require.EqualValues(t, 42, r.Code)
	require.Equal(t, "hello", v.printed())
	require.Equal(t, StateStopped, v.State())
}
