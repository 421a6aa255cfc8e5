package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	require.ErrorContains(t, run(dir, []string{"nope"}), `"nope"`)
	require.NoDirExists(t, dir, "nothing is made for a wrong name")
	require.NoError(t, run(dir, []string{"bench"}))
	require.FileExists(t, filepath.Join(dir, "initramfs-bench.cpio"))
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, left, 1)
}
