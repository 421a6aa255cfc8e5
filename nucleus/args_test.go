package nucleus

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:noinline
func growStack() byte {
	var room [128 << 10]byte
	return room[len(room)-1-int(load8(addressOf(machine.ram)))]
}

// onFixedStack runs f on a stack that does not move, as the nucleus's own do
// not: its code keeps addresses of locals as numbers.
func onFixedStack(f func()) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	growStack()
	f()
}

// started is a program's stack as its first instruction finds it.
type started struct {
	args, env []string
	aux       map[uint64]uint64
}

// start builds the stack of a program and reads it back.
func start(t *testing.T, line string) started {
	setCommandLine(line)
	resetFrames()
	stack := mustMap(firstStack, pageSize)
	top := addressOf(stack) + firstStack
	var sp uintptr
	onFixedStack(func() { sp = buildArgs(top) })
	require.Zero(t, sp&15, "the ABI's alignment")
	require.Less(t, sp, top)

	argc := int(load64(sp))
	s := started{aux: map[uint64]uint64{}}
	text := func() (list []string) {
		for sp += 8; load64(sp) != 0; sp += 8 {
			require.True(t, uintptr(load64(sp)) > sp && uintptr(load64(sp)) < top)
			list = append(list, cString(uintptr(load64(sp))))
		}
		return list
	}
	s.args, s.env = text(), text()
	require.Len(t, s.args, argc)
	for sp += 8; load64(sp) != atNull; sp += 16 {
		s.aux[load64(sp)] = load64(sp + 8)
	}
	require.Less(t, sp, top)
	return s
}

func TestBuildArgs(t *testing.T) {
	s := start(t, "  one GODEBUG=gctrace=1 two=2   GOGC=50 GO=  G=1 Go=no three ")
	require.Equal(t, []string{"ringo", "one", "two=2", "G=1", "Go=no", "three"}, s.args)
	require.Equal(t, []string{"GODEBUG=gctrace=1", "GOGC=50", "GO="}, s.env)
	require.EqualValues(t, pageSize, s.aux[atPageSz])
	require.EqualValues(t, vdsoAddr(), s.aux[atSysinfo])
	require.Contains(t, s.aux, uint64(atSecure))
	require.Zero(t, s.aux[atSecure])
	seed := uintptr(s.aux[atRandom])
	require.NotZero(t, load64(seed))
	require.NotZero(t, load64(seed+8))
}

func TestBuildArgsWithout(t *testing.T) {
	for _, line := range []string{"", "    "} {
		s := start(t, line)
		require.Equal(t, []string{"ringo"}, s.args)
		require.Empty(t, s.env)
	}
}

func TestBuildArgsTooMany(t *testing.T) {
	s := start(t, strings.Repeat("a ", 1000)+strings.Repeat("GOX=1 ", 300))
	require.Len(t, s.args, maxArgs)
	require.Len(t, s.env, maxArgs/2)
	require.Len(t, s.aux, 4, "the auxiliary vector is whole")
}

func TestBuildArgsLongest(t *testing.T) {
	line := strings.Repeat("x", len(bootInfo.cmdline)-1)
	require.Equal(t, []string{"ringo", line}, start(t, line).args)
}

func TestReadOptions(t *testing.T) {
	for _, c := range []struct {
		line   string
		reboot bool
		cpus   uint32
	}{
		{"", false, MaxCPUs}, {"panic=reboot maxcpus=3", true, 3}, {"panic=halt", false, MaxCPUs},
		{"panic=reboot panic=halt", false, MaxCPUs}, {"panic=", false, MaxCPUs},
		{"maxcpus=0", false, 1}, {"maxcpus=", false, 1}, {"maxcpus=-1", false, 1},
		{"maxcpus=99999999999999999999", false, MaxCPUs}, {"xmaxcpus=2 maxcpus", false, MaxCPUs},
	} {
		setCommandLine(c.line)
		options.rebootOnPanic = false
		readOptions()
		require.Equal(t, c.reboot, options.rebootOnPanic, "%q", c.line)
		require.Equal(t, c.cpus, options.maxCPUs, "%q", c.line)
	}
}

func TestParseDec(t *testing.T) {
	for s, want := range map[string]uint32{"": 0, "0": 0, "7": 7, "512": 512, "12x": 12, "x12": 0, " 1": 0, "007": 7} {
		require.Equal(t, want, parseDec(s), "%q", s)
	}
	require.GreaterOrEqual(t, parseDec("4294967297"), uint32(1<<20), "no wrap to a small number")
}

func TestIsEnv(t *testing.T) {
	for s, want := range map[string]bool{"GOGC=1": true, "GO=": true, "GOGC": false, "GO": false, "xGO=1": false, "G=": false, "=GO": false} {
		b := []byte(s)
		require.Equal(t, want, isEnv(&b[0], len(b)), "%q", s)
	}
}
