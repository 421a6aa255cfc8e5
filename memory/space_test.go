package memory_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/memory"
)

func TestNewSpaceRefusesBadSlots(t *testing.T) {
	a := newArena(t, 2*mib)
	for name, c := range map[string]struct {
		slots []memory.Slot
		want  error
	}{
		"empty":     {[]memory.Slot{ram(0, 0)}, memory.ErrAlignment},
		"unaligned": {[]memory.Slot{ram(1, 4096)}, memory.ErrAlignment},
		"odd size":  {[]memory.Slot{ram(0, 4097)}, memory.ErrAlignment},
		"wraps":     {[]memory.Slot{ram(^memory.GPA(4095), 8192)}, memory.ErrOutOfRange},
		"too high":  {[]memory.Slot{ram(1<<48, 4096)}, memory.ErrOutOfRange},
		"overlap":   {[]memory.Slot{ram(mib, mib), ram(0, mib+4096)}, memory.ErrOverlap},
		"twice":     {[]memory.Slot{ram(0, mib), rom(0, mib)}, memory.ErrOverlap},
	} {
		_, err := memory.NewSpace(a, nil, c.slots, 0)
		require.ErrorIs(t, err, c.want, name)
	}
}

func TestSlotsAreSortedAndRAMIsCounted(t *testing.T) {
	m := newMachine(t, 2*mib, 0, rom(gib-mib, mib), ram(4*gib, 3*mib), ram(0, 2*mib))
	defer m.end(t)
	require.Equal(t, []memory.Slot{ram(0, 2*mib), rom(gib-mib, mib), ram(4*gib, 3*mib)}, m.Slots())
	require.Equal(t, uint64(5*mib), m.Size())
}

func TestFaultUsesLargeFrames(t *testing.T) {
	// The slot begins and ends inside 2 MiB.
	m := newMachine(t, 32*mib, 0, ram(mib, 8*mib))
	defer m.end(t)
	for g, want := range map[memory.GPA]memory.PageSize{
		mib: memory.Page4K, 2*mib + 5: memory.Page2M, 6 * mib: memory.Page2M, 8*mib + 4097: memory.Page4K,
	} {
		require.NoError(t, m.Fault(g, memory.Write))
		got, ok := m.table.Lookup(g)
		require.True(t, ok)
		require.Equal(t, want, got.Size, "GPA %#x", uint64(g))
		require.Equal(t, memory.RWX, got.Prot)
	}
	require.Equal(t, uint64(2*2*mib+2*4096), m.Used())
}

func TestFaultFallsBackToSmallFrames(t *testing.T) {
	m := newMachine(t, 2*mib, 0, ram(0, 4*mib)) // the tables break the only 2 MiB
	defer m.end(t)
	require.NoError(t, m.Fault(0x5000, memory.Read))
	got, ok := m.table.Lookup(0x5fff)
	require.True(t, ok)
	require.Equal(t, memory.Page4K, got.Size)
	_, ok = m.table.Lookup(0x6000)
	require.False(t, ok)
}

func TestFaultWithoutFramesLosesNothing(t *testing.T) {
	m := newMachine(t, 2*mib, 0, ram(0, 4*mib))
	defer m.end(t)
	var err error
	var g memory.GPA
	for ; err == nil; g += 4096 {
		err = m.Fault(g, memory.Write)
		if err == nil {
			require.NoError(t, m.WriteAt([]byte{byte(g >> 12)}, g))
		}
	}
	require.ErrorIs(t, err, memory.ErrNoFrames)
	g -= 4096
	require.ErrorIs(t, m.WriteAt([]byte{1}, g), memory.ErrNoFrames)
	require.NoError(t, m.Discard(0, 4096))
	require.NoError(t, m.Fault(g, memory.Write), "a frame is free now")
	for at := memory.GPA(4096); at < g; at += 4096 {
		b := make([]byte, 1)
		require.NoError(t, m.ReadAt(b, at))
		require.Equal(t, byte(at>>12), b[0])
	}
}

func TestAccessWaitsForAFrame(t *testing.T) {
	m := newMachine(t, 2*mib, 0, ram(0, 4*mib))
	defer m.end(t)
	var g memory.GPA
	for m.Fault(g, memory.Write) == nil {
		g += 4096
	}
	waits := 0
	m.OnNoFrames(func() error {
		waits++
		return m.Discard(memory.GPA(waits-1)*4096, 4096)
	})
	require.NoError(t, m.WriteAt([]byte("late"), g))
	require.Equal(t, 1, waits)
	p, err := m.Pin(g+4096, 8, true)
	require.NoError(t, err)
	require.Equal(t, 2, waits)
	p.Release()
	m.OnNoFrames(func() error { return memory.ErrClosed })
	require.ErrorIs(t, m.WriteAt([]byte("never"), g+8192), memory.ErrClosed)
}

func TestQuota(t *testing.T) {
	m := newMachine(t, 16*mib, 2*mib+8192, ram(0, 8*mib))
	defer m.end(t)
	require.NoError(t, m.Fault(0, memory.Write))
	require.NoError(t, m.Fault(2*mib, memory.Write), "4 KiB are left though 2 MiB are not")
	require.NoError(t, m.Fault(4*mib, memory.Write))
	err := m.Fault(6*mib, memory.Write)
	require.ErrorIs(t, err, memory.ErrQuota)
	require.ErrorIs(t, err, memory.ErrNoFrames)
	require.Equal(t, uint64(2*mib+8192), m.Used())
}

func TestROM(t *testing.T) {
	m := newMachine(t, 8*mib, 0, rom(2*mib, 2*mib), ram(4*mib, 4096))
	defer m.end(t)
	require.NoError(t, m.WriteROM([]byte("firmware"), 4*mib-4))
	require.ErrorIs(t, m.WriteAt([]byte("x"), 4*mib-1), memory.ErrReadOnly)
	require.ErrorIs(t, m.Fault(2*mib, memory.Write), memory.ErrReadOnly)
	require.False(t, m.TryWrite([]byte("x"), 4*mib-1))
	_, ok := m.CompareAndSwap64(2*mib, 0, 1)
	require.False(t, ok)
	_, err := m.Pin(4*mib-4096, 8192, true)
	require.ErrorIs(t, err, memory.ErrReadOnly)
	require.NoError(t, m.Fault(2*mib, memory.Exec))
	_, ok = m.cpu.access(2*mib, true)
	require.False(t, ok, "the processor must not write it either")
	got := make([]byte, 8)
	require.NoError(t, m.ReadAt(got, 4*mib-4))
	require.Equal(t, "firmware", string(got))
}

func TestAccessAcrossPagesAndSlots(t *testing.T) {
	m := newMachine(t, 16*mib, 0, ram(0, 3*mib), ram(3*mib, 5*mib), ram(10*mib, mib))
	defer m.end(t)
	in := bytes.Repeat([]byte("ringo"), 600_000)
	require.NoError(t, m.WriteAt(in, mib+77))
	out := make([]byte, len(in))
	require.NoError(t, m.ReadAt(out, mib+77))
	require.True(t, bytes.Equal(in, out))
	// The guest sees the same bytes, page for page.
	for off := 0; off < len(in); off += 4095 {
		h := m.touch(t, mib+77+memory.GPA(off), false)
		require.Equal(t, in[off], *(*byte)(m.arena.Pointer(h)))
	}
	err := m.WriteAt(make([]byte, 16), 8*mib-8)
	require.ErrorIs(t, err, memory.ErrNotRAM)
	require.ErrorContains(t, err, "0x800000", "it names the first bad address")
	require.ErrorIs(t, m.ReadAt(make([]byte, 2), 10*mib-1), memory.ErrNotRAM)
}

func TestReadOfUntouchedMemoryTakesNoFrame(t *testing.T) {
	m := newMachine(t, 4*mib, 0, ram(0, 64*mib))
	defer m.end(t)
	b := bytes.Repeat([]byte{0xff}, 3*mib)
	require.NoError(t, m.ReadAt(b, mib))
	require.True(t, bytes.Equal(b, make([]byte, 3*mib)))
	require.Zero(t, m.Used())
	state, ok := m.State(mib)
	require.True(t, ok)
	require.Equal(t, memory.Absent, state)
	_, ok = m.State(64 * mib)
	require.False(t, ok)
}

func TestIdleGuestCostsLittle(t *testing.T) {
	m := newMachine(t, 2*mib, 0, ram(0, 256*mib))
	defer m.end(t)
	require.LessOrEqual(t, m.Overhead(), uint64(4096))
	require.NoError(t, m.Fault(0, memory.Read)) // 4 KiB: there are no 2 MiB
	require.LessOrEqual(t, m.Overhead(), uint64(8192))
}

func TestHostileRanges(t *testing.T) {
	m := newMachine(t, 8*mib, 0, ram(0, 4*mib))
	defer m.end(t)
	const all = ^uint64(0)
	for _, g := range []memory.GPA{4 * mib, 1 << 48, 1 << 52, 1 << 63, memory.GPA(all), memory.GPA(all - 7)} {
		require.Same(t, memory.ErrNotRAM, m.Fault(g, memory.Write), "MMIO exits come here: no allocation")
		require.ErrorIs(t, m.ReadAt(make([]byte, 16), g), memory.ErrNotRAM)
		require.ErrorIs(t, m.WriteAt(make([]byte, 16), g), memory.ErrNotRAM)
		_, ok := m.Load64(g &^ 7)
		require.False(t, ok)
		_, ok = m.View(g, 0)
		require.False(t, ok)
		_, err := m.Pin(g, 1, true)
		require.ErrorIs(t, err, memory.ErrNotRAM)
		require.ErrorIs(t, m.Populate(g, 1), memory.ErrNotRAM)
		require.NoError(t, m.ReadAt(nil, g))
		require.NoError(t, m.WriteAt(nil, g))
	}
	require.NoError(t, m.Fault(0, memory.Write))
	for _, n := range []uint64{2*mib + 1, 4*mib + 1, 1 << 52, 1 << 63, all, all - 4095} {
		_, ok := m.View(0, n)
		require.False(t, ok, "%#x bytes are not in one frame", n)
	}
	for _, n := range []uint64{4*mib + 1, 1 << 52, 1 << 63, all, all - 4095} {
		_, err := m.Pin(4096, n, false)
		require.ErrorIs(t, err, memory.ErrNotRAM)
		require.ErrorIs(t, m.Populate(4096, n), memory.ErrNotRAM)
		require.ErrorIs(t, m.Discard(4096, n&^4095), memory.ErrNotRAM)
	}
	require.ErrorIs(t, m.Discard(1, 4096), memory.ErrAlignment)
	p, err := m.Pin(4096, 0, true)
	require.NoError(t, err)
	require.Empty(t, p.Pieces())
	p.Release()
}

func TestFastAccessors(t *testing.T) {
	m := newMachine(t, 8*mib, 0, ram(0, 4*mib))
	defer m.end(t)
	_, ok := m.Load64(8)
	require.False(t, ok, "not present")
	require.False(t, m.TryWrite([]byte{1}, 8))
	require.False(t, m.TryRead([]byte{1}, 8))
	require.NoError(t, m.WriteAt([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 8))

	v, ok := m.Load64(8)
	require.True(t, ok)
	require.Equal(t, uint64(0x0807060504030201), v)
	w, ok := m.Load32(12)
	require.True(t, ok)
	require.Equal(t, uint32(0x08070605), w)
	_, ok = m.Load64(12)
	require.False(t, ok, "not aligned")
	_, ok = m.Load32(10)
	require.False(t, ok, "not aligned")

	swapped, ok := m.CompareAndSwap64(8, 1, 2)
	require.True(t, ok && !swapped)
	swapped, ok = m.CompareAndSwap64(8, v, 2)
	require.True(t, ok && swapped)
	swapped, ok = m.CompareAndSwap32(12, 0, 7)
	require.True(t, ok && swapped)
	_, ok = m.CompareAndSwap32(13, 0, 7)
	require.False(t, ok)

	section := m.Enter()
	view, ok := m.View(8, 8)
	require.True(t, ok)
	require.Equal(t, []byte{2, 0, 0, 0, 7, 0, 0, 0}, view)
	_, ok = m.View(2*mib-4, 8)
	require.False(t, ok, "two frames")
	m.Leave(section)
	require.False(t, m.TryRead(make([]byte, 8), 2*mib-4), "the second is not present")
	require.True(t, m.TryWrite([]byte("abcd"), 2*mib-4))
	got := make([]byte, 4)
	require.True(t, m.TryRead(got, 2*mib-4))
	require.Equal(t, "abcd", string(got))
}

func TestExitPathDoesNotAllocate(t *testing.T) {
	m := newMachine(t, 8*mib, 0, ram(0, 2*mib), ram(2*mib, 2*mib))
	defer m.end(t)
	buffer := make([]byte, 64)
	require.NoError(t, m.Populate(0, 4*mib))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = m.Fault(4096, memory.Write)
		_ = m.Fault(5*mib, memory.Write)
		_, _ = m.Load64(2 * mib)
		_, _ = m.CompareAndSwap64(2*mib, 1, 2)
		section := m.Enter()
		_, _ = m.View(16, 8)
		m.Leave(section)
		_ = m.ReadAt(buffer, 2*mib-32)
		_ = m.WriteAt(buffer, 2*mib-32)
	}))
}

func TestSpaceWithoutTable(t *testing.T) {
	a := newArena(t, 4*mib)
	s, err := memory.NewSpace(a, nil, []memory.Slot{ram(0, 4*mib)}, 0)
	require.NoError(t, err)
	require.NoError(t, s.WriteAt([]byte("x"), 3*mib))
	log, err := s.NewDirtyLog("test")
	require.NoError(t, err)
	require.NoError(t, log.Start())
	require.NoError(t, s.Fault(mib, memory.Write))
	require.NoError(t, log.Harvest(func(g memory.GPA) { require.Equal(t, memory.GPA(mib), g) }))
	require.NoError(t, s.Close())
	require.NoError(t, a.Close())
}

func TestClosedSpace(t *testing.T) {
	m := newMachine(t, 8*mib, 0, ram(0, 4*mib))
	require.NoError(t, m.WriteAt([]byte("x"), 0))
	p, err := m.Pin(4096, 4*mib-4096, true)
	require.NoError(t, err)
	require.ErrorIs(t, m.Close(), memory.ErrPinned)
	require.NoError(t, m.WriteAt([]byte("x"), 0), "a refused Close changes nothing")
	p.Release()
	p.Release()
	m.end(t)
	require.NoError(t, m.Close())
	require.ErrorIs(t, m.Fault(0, memory.Read), memory.ErrClosed)
	require.ErrorIs(t, m.ReadAt([]byte{0}, 0), memory.ErrClosed)
	require.ErrorIs(t, m.WriteAt([]byte{0}, 0), memory.ErrClosed)
	_, err = m.Pin(0, 1, false)
	require.ErrorIs(t, err, memory.ErrClosed)
	_, ok := m.Load64(0)
	require.False(t, ok)
}
