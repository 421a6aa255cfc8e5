package qemutests

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStandingNamesEachProcessor(t *testing.T) {
	names := symbols{{Name: "a", Value: 0x1000, Size: 0x10}, {Name: "b", Value: 0x1010, Size: 0x10}}
	said := strings.Join([]string{
		"CPU#0", "RAX=0000000000000000 RBX=0000000000000000",
		"RIP=0000000000001014 RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1",
		"CPU#1",
		"RIP=0000000000002000 RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0",
	}, "\r\n")
	require.Equal(t, []string{"CPU 0: 0x1014 b+0x4, halted", "CPU 1: 0x2000 ?"}, standing(said, names))
}

// TestStuckMachineSaysWhere lets a machine whose processors have nothing to do
// run into its time limit.
func TestStuckMachineSaysWhere(t *testing.T) {
	if _, err := exec.LookPath(QEMU); err != nil || testing.Short() {
		t.Skip("needs " + QEMU)
	}
	kernel := t.TempDir() + "/none"
	require.NoError(t, os.WriteFile(kernel, nil, 0o644))
	m := &machine{Stanza: Stanza{Emulator: QEMU, CPU: EPYC, SMP: 2, Memory: "64M", Timeout: 3 * time.Second, Args: []string{"-S"}}, kernel: kernel}
	m.disc = kernel // an empty CD: nothing boots
	m.Name, m.Script = "stuck", Expect("never")
	rules, err := m.compile()
	require.NoError(t, err)
	err = m.emulate(context.Background(), &console{c: rules}, t.TempDir()+"/log")
	require.ErrorContains(t, err, "not finished within 3s")
	require.ErrorContains(t, err, "CPU 1: 0xfff0 ?")
}
