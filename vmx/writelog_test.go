package vmx

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/memory"
)

// fillLog has the processor note n pages from page first on, and publishes the
// index as the loop does.
func (r *rig) fillLog(first, n int) {
	if want := r.c.wantLog.Load(); r.c.logging != want {
		r.c.logging = want
		r.c.publish(logEntries - 1)
	}
	next := int(int16(r.c.logIndex.Load()))
	for i := range n {
		r.c.log[next] = uint64(first+i) << 12
		next--
	}
	r.c.publish(uint64(next))
}

// logged is the table of a rig, which notes to got.
func logged(t *testing.T, r *rig) (s *stage2, got *[]memory.GPA) {
	s, ok := r.vm.stage2.(*stage2)
	require.True(t, ok)
	got = new([]memory.GPA)
	s.LogWrites(func(g memory.GPA) { *got = append(*got, g) })
	return s, got
}

func TestCollect(t *testing.T) {
	r := newRig(t)
	s, got := logged(t, r)
	require.NotZero(t, r.c.wantLog.Load())
	s.Collect()
	require.Empty(t, *got)
	r.fillLog(10, 3)
	before := s.Generation()
	s.Collect()
	require.Greater(t, s.Generation(), before, "vCPUs in the guest must publish")
	require.Equal(t, []memory.GPA{10 << 12, 11 << 12, 12 << 12}, *got)
	s.Collect()
	require.Len(t, *got, 3, "each is told once")
	r.fillLog(20, 1)
	s.Collect()
	require.Equal(t, memory.GPA(20<<12), (*got)[3])
	s.LogWrites(nil)
	require.Zero(t, r.c.wantLog.Load())
	s.Collect()
	require.Len(t, *got, 4)
}

// TestFullLog: a log that is full is emptied, and the guest goes on without an
// exit for its owner.
func TestFullLog(t *testing.T) {
	r := newRig(t)
	r.long(t, 0x1000)
	_, got := logged(t, r)
	entries := 0
	r.enter = func(c *vcpuMem) {
		entries++
		if entries == 1 {
			r.fillLog(0, logEntries)
			r.left(ExitReasonPageModificationFull, 0)
			_, stop := c.handle()
			require.True(t, stop)
			return
		}
		require.NotZero(t, c.emptied)
		require.Zero(t, c.tlbOf, "the loop looks at the log")
		r.left(ExitReasonTripleFault, 0)
	}
	require.NoError(t, r.v.Run(new(vcpu.Exit)))
	require.Equal(t, 2, entries)
	require.Len(t, *got, logEntries)
	require.EqualValues(t, (logEntries-1)<<12, (*got)[logEntries-1])
	r.c.publishLog() // a turn that ends before the guest was entered again
	require.EqualValues(t, logEntries-1, uint16(r.c.logIndex.Load()))
}

// TestLogOfItsTime: what was noted for an earlier log is not told to the next,
// and a vCPU that comes later notes too.
func TestLogOfItsTime(t *testing.T) {
	r := newRig(t)
	s, _ := logged(t, r)
	first := r.c.wantLog.Load()
	r.fillLog(1, 9)
	s.LogWrites(nil)
	var got []memory.GPA
	s.LogWrites(func(g memory.GPA) { got = append(got, g) })
	require.NotEqual(t, first, r.c.wantLog.Load(), "the loop begins anew")
	s.Collect()
	require.Empty(t, got)
	r.c.publish(5) // a turn ends that began before
	s.Collect()
	require.Empty(t, got)
	r.fillLog(30, 2)
	s.Collect()
	require.Equal(t, []memory.GPA{30 << 12, 31 << 12}, got)
	v, err := r.vm.NewVCPU(1)
	require.NoError(t, err)
	require.Equal(t, r.c.wantLog.Load(), v.(*VCPU).c.wantLog.Load())
}

// TestNoLog: without the control or without dirty flags the table is a plain
// one, and dirty logs write-protect.
func TestNoLog(t *testing.T) {
	arena := memory.NewArenaOver(arenaBytes)
	for _, name := range []string{"enable PML", "EPT accessed and dirty flags"} {
		b, err := newBackend(skylakeCPUID, reader(skylakeMSRs()), []string{name})
		require.NoError(t, err)
		s2, err := b.NewStage2(arena)
		require.NoError(t, err)
		_, notes := s2.(memory.WriteLogger)
		require.False(t, notes, name)
		require.NotContains(t, b.Caps().Features, "page-modification logging")
		require.NoError(t, s2.Close())
	}
}
