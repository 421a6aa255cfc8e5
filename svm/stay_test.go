package svm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInsideSince(t *testing.T) {
	r := newRig(t, 0)
	r.c.entered, r.c.left = 20, 10
	require.Zero(t, r.v.InsideSince(), "outside of the run function")
	r.c.active.Store(1)
	require.EqualValues(t, 20, r.v.InsideSince())
	r.c.left = 30
	require.Zero(t, r.v.InsideSince(), "between exit and entry")
}
