package tiny

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// run boots a guest bare in the emulator and returns its output and the value
// that it exited with.
func run(t *testing.T, kernel []byte, args ...string) (string, int) {
	t.Helper()
	qemu := emulator(t, "qemu-system-x86_64")
	file := filepath.Join(t.TempDir(), "kernel")
	require.NoError(t, os.WriteFile(file, kernel, 0o644))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, qemu, append([]string{
		"-accel", "tcg", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-m", "64",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel", file}, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, ctx.Err(), "the guest did not end: %s", out)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err, "%s", out)
		return string(out), -1
	}
	return string(out), exit.ExitCode() >> 1
}

func TestHello(t *testing.T) {
	out, code := run(t, Hello())
	require.Equal(t, "hello from a tiny guest\n", out)
	require.Equal(t, ExitOK, code)
}

func TestExitCode(t *testing.T) {
	_, code := run(t, ExitCode(42))
	require.Equal(t, 42, code)
}

func TestTripleFault(t *testing.T) {
	_, code := run(t, TripleFault())
	require.Equal(t, -1, code, "the emulator ends at the reset")
}

func TestTickCheck(t *testing.T) {
	out, code := run(t, TickCheck(20))
	require.Equal(t, ExitOK, code, out)
}

func TestClosed(t *testing.T) {
	out, code := run(t, Closed(20))
	require.Equal(t, ExitOK, code, out)
}

func TestSMP(t *testing.T) {
	out, code := run(t, SMP(4, 50), "-smp", "4")
	require.Equal(t, ExitOK, code, out)
	require.Contains(t, out, "processors: 4\n")
	out, code = run(t, SMP(2, 1), "-smp", "3")
	require.Equal(t, ExitFailed, code, out)
}

func TestException(t *testing.T) {
	out, code := run(t, Long(func(g *Guest) { g.Ud2() }))
	require.Equal(t, ExitException, code, out)
	require.Contains(t, out, "FAIL exception 6 error 0000000000000000 at 00000000001")
}

func TestCanary(t *testing.T) {
	o := CanaryOptions{Rounds: 50, Seed: 1, Port: 0x61}
	for _, cpu := range []string{"max", "qemu64"} { // with AVX and without
		out, code := run(t, Canary(o), "-cpu", cpu)
		require.Equal(t, ExitOK, code, out)
		require.Regexp(t, `canaries alive after [1-9][0-9]* interrupts`, out)
	}
}

func TestBench(t *testing.T) {
	o := BenchOptions{Iterations: 64, Port: 0x61, MMIO: 0xfec00000, TimerCount: 1000}
	out, code := run(t, Bench(o), "-icount", "shift=0,sleep=off")
	require.Equal(t, ExitOK, code, out)
	for _, row := range []string{
		"loop", "cpuid", "port-read", "mmio-write", "tsc-adjust-write", "tsc-adjust-read", "cr0-wp",
		"eoi-xapic", "self-ipi-xapic", "self-ipi-hlt-xapic", "hlt-timer-xapic",
	} {
		require.Regexp(t, "(?m)^bench "+row+" [1-9][0-9]*$", out)
	}
	require.Contains(t, out, "bench loop 2\n")
	require.NotContains(t, out, "vmmcall")
}

// TestChaos uses the machine with the fewest devices: with others, wild
// accesses make the emulator itself fail.
func TestChaos(t *testing.T) {
	o := ChaosOptions{Seed: 7, Rounds: 2000, RAM: 64 << 20, AvoidPorts: []uint16{0x64, 0x92, 0xcf9}}
	for p := uint16(SerialPort); p < SerialPort+8; p++ {
		o.AvoidPorts = append(o.AvoidPorts, p)
	}
	out, code := run(t, Chaos(o), "-M", "microvm")
	require.Equal(t, ExitOK, code, out)
	require.Regexp(t, `chaos: exceptions and interrupts [1-9][0-9]{2}`, out)
}

func TestChaosReal(t *testing.T) {
	out, code := run(t, ChaosReal(3, 3))
	require.Equal(t, ExitOK, code, out)
}

// emulator finds QEMU. Without it the test is skipped, or fails if
// RINGO_REQUIRE_QEMU=1.
func emulator(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("RINGO_REQUIRE_QEMU") == "1" {
		t.Fatalf("%s is not installed (Debian package qemu-system-x86)", name)
	}
	if err != nil {
		t.Skipf("%s is not installed (Debian package qemu-system-x86)", name)
	}
	return path
}

func TestMultiboot(t *testing.T) {
	out, code := run(t, Multiboot())
	require.Equal(t, ExitOK, code, out)
	require.Regexp(t, `multiboot: 6\d{4} KiB above 1 MiB\n`, out)
}
