package qemutests

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// lab is this tree's build folder.
var lab = Lab{Build: "../build"}

// TestStanzas runs every stanza. RINGO_REQUIRE_QEMU=1 turns what would be
// skipped into a failure, RINGO_DISTURBED=1 disturbs every emulated machine of
// QEMU's, and RINGO_UNSTEADY=1 runs what an open fault leaves out.
func TestStanzas(t *testing.T) {
	if testing.Short() {
		t.Skip("emulated machines take minutes; -short leaves them out")
	}
	for _, s := range Stanzas() {
		t.Run(s.Name, func(t *testing.T) {
			if s.Unsteady != "" && os.Getenv("RINGO_UNSTEADY") != "1" {
				t.Skip(s.Unsteady)
			}
			t.Parallel()
			s.Disturbed = s.Disturbed || os.Getenv("RINGO_DISTURBED") == "1"
			report(t, lab.Run(t.Context(), s, uint64(rand.Uint32())))
		})
	}
}

// report turns a result into the test's own.
func report(t *testing.T, r Result) {
	t.Helper()
	switch {
	case r.Verdict == Pass:
		t.Log(r)
	case r.Verdict == Skip && os.Getenv("RINGO_REQUIRE_QEMU") != "1":
		t.Skip(r.Reason)
	default:
		t.Error(r)
	}
}

// TestSoak repeats the stress stanzas with new seeds until the time that
// RINGO_SOAK names is over; the first failure ends it.
func TestSoak(t *testing.T) {
	limit := os.Getenv("RINGO_SOAK")
	if limit == "" {
		t.Skip("RINGO_SOAK is not set; \"make soak\" sets it to a time such as 10m")
	}
	d, err := time.ParseDuration(limit)
	require.NoError(t, err, "RINGO_SOAK")
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	for round := 1; ctx.Err() == nil && !t.Failed(); round++ {
		for _, s := range Stanzas() {
			if !s.Soak || ctx.Err() != nil {
				continue
			}
			r := lab.Run(ctx, s, uint64(rand.Uint32()))
			if ctx.Err() == nil { // else the end of the soak cut it off
				report(t, r)
			}
		}
		t.Logf("round %d is through", round)
	}
}
