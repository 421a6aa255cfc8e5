package svm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/x86"
)

func TestTSCScaling(t *testing.T) {
	b, err := newBackend(epyc(0))
	require.NoError(t, err)
	require.False(t, b.Caps().TSCScaling)
	require.Zero(t, b.features&featureTSCRatio)
	r := newRig(t, x86.CPUID8000000AEDXTscRateMsr)
	require.True(t, r.b.Caps().TSCScaling)
	require.NotZero(t, r.c.features&featureTSCRatio)
	require.EqualValues(t, 1<<32, r.c.tscRatio(), "the register's value after RESET")
	r.c.area.VMArea().TSCRatio = vcpu.TSCRatio(3e9, 2e9)
	require.EqualValues(t, 3<<31, r.c.tscRatio(), "8 integer bits and 32 fraction bits")
	require.Equal(t, msrDone, r.c.fastWRMSR(x86.MSRTSCAdjust, 0))
	r.c.left = 1000
	v, res := r.c.fastRDMSR(x86.MSRTSC)
	require.Equal(t, msrDone, res)
	require.Equal(t, r.c.area.GuestTSC(1000), v)
}
