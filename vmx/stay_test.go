package vmx

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInsideSince(t *testing.T) {
	r := newRig(t)
	r.c.entered, r.c.now = 20, 10
	require.Zero(t, r.v.InsideSince(), "outside of the run function")
	r.c.active.Store(1)
	require.EqualValues(t, 20, r.v.InsideSince())
	r.c.now = 30
	require.Zero(t, r.v.InsideSince(), "between exit and entry")
}
