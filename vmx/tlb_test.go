package vmx

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

// TestOnlyVPID: INVVPID is for the guest's own translations only; a change of
// the stage-2 table or of the CPU takes INVEPT.
func TestOnlyVPID(t *testing.T) {
	r := newRig(t)
	c := r.c
	const here = 3
	require.False(t, c.onlyVPID(here, 0), "never run")
	c.tlbOf = here
	c.ack.Store(5)
	c.flushTLB()
	require.NotEqualValues(t, here, c.tlbOf, "the loop's check finds it")
	require.True(t, c.onlyVPID(here, 5))
	require.False(t, c.onlyVPID(here, 6), "the stage-2 table has changed")
	require.False(t, c.onlyVPID(here+1, 5), "on another CPU")
	c.features &^= featureINVVPIDSingle
	require.True(t, c.onlyVPID(here, 5), "all contexts")
	c.features &^= featureINVVPIDAll
	require.False(t, c.onlyVPID(here, 5), "no INVVPID")
}

// TestNoVPID: entries and exits drop everything then.
func TestNoVPID(t *testing.T) {
	r := newRig(t)
	r.c.tlbOf = 3
	r.c.controls.secondary &^= SecondaryVPID
	r.c.flushTLB()
	require.EqualValues(t, 3, r.c.tlbOf)
}

// TestNewPagingFlushes: control registers from Go end the guest's translations.
func TestNewPagingFlushes(t *testing.T) {
	r := newRig(t)
	r.c.tlbOf = 3
	s := new(x86.State)
	s.Reset()
	require.NoError(t, r.v.Load(x86.GroupCR, s))
	require.EqualValues(t, 3|tlbStale, r.c.tlbOf)
}

func TestINVVPIDTypes(t *testing.T) {
	for _, x := range []struct {
		without []string
		want    uint32
	}{
		{nil, featureINVVPIDSingle | featureINVVPIDAll},
		{[]string{"single-context INVVPID"}, featureINVVPIDAll},
		{[]string{"INVVPID"}, 0},
	} {
		b, err := newBackend(skylakeCPUID, reader(skylakeMSRs()), x.without)
		require.NoError(t, err)
		require.Equal(t, x.want, b.features&(featureINVVPIDSingle|featureINVVPIDAll), "%v", x.without)
	}
}
