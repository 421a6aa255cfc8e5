package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// twoReports have a row in common, and one each of their own.
func twoReports() []*Report {
	svm := []Row{newRow("cpuid", unitTicks, 493), newRow("vmmcall", unitTicks, 1318), newRow("cr0-wp", unitTicks, 7)}
	vmx := []Row{newRow("cpuid", unitTicks, 500), newRow("vmcall", unitTicks, 3179), failed(errors.New("hung"), "cr0-wp")[0]}
	hold(svm, svmBudgets)
	hold(vmx, vmxBudgets)
	return []*Report{
		{Emulator: "QEMU 7.2", Peer: "KVM+QEMU", Rows: svm},
		{Emulator: "Bochs 2.7", Peer: "KVM+kvmtool", Rows: vmx},
	}
}

const twoReportsTable = `| Row | QEMU 7.2 | must | aim | KVM+QEMU* | ratio | Bochs 2.7 | must | aim | KVM+kvmtool* | ratio |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
| cpuid | 493 ticks | 600 | 280 | 2841 | 0.17 | **500 ticks** | 450 | 250 | 1115 | 0.45 |
| vmcall | | | | | | 3179 ticks |  |  | 1046 | 3.04 |
| vmmcall | 1318 ticks |  |  | 2789 | 0.47 | | | | | |
| cr0-wp | 7 ticks |  |  | 8700 | 0.0008 | not measured |  | 40 | 4148 |  |
`

func TestSideBySide(t *testing.T) {
	require.Equal(t, twoReportsTable, sideBySide(twoReports()))
}

func TestCompare(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for _, r := range twoReports() {
		var data bytes.Buffer
		require.NoError(t, r.json(&data))
		name := filepath.Join(dir, r.Peer)
		require.NoError(t, os.WriteFile(name, data.Bytes(), 0o600))
		names = append(names, name)
	}
	var out bytes.Buffer
	require.NoError(t, compare(&out, names))
	require.Equal(t, twoReportsTable, out.String())

	broken := filepath.Join(dir, "broken")
	require.NoError(t, os.WriteFile(broken, []byte("2026-11-22, QEMU"), 0o600))
	require.ErrorContains(t, compare(&out, []string{broken}), "--json")
	require.ErrorIs(t, compare(&out, []string{filepath.Join(dir, "absent")}), os.ErrNotExist)
}
