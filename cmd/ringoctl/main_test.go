package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// call runs one command line.
func call(args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = run(args, &o, &e)
	return code, o.String(), e.String()
}

// sources makes a folder with ringo.yaml and its files.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	write("ringo.yaml", "vms:\n- name: demo\n  memory: 256M\n  kernel: vmlinuz\n")
	write("vmlinuz", "kernel")
	return dir
}

func TestWrongCalls(t *testing.T) {
	for _, args := range [][]string{
		{}, {"bundel"}, {"bundle"}, {"bundle", "mke"}, {"version", "now"}, {"help", "me"},
		{"bundle", "make"}, {"bundle", "make", "dir"}, {"bundle", "make", "-o"},
		{"bundle", "make", "-x", "-o", "a", "b"}, {"bundle", "make", "-o", "a", "b", "c"},
		{"bundle", "check"}, {"bundle", "list", "a", "b"},
	} {
		code, out, errOut := call(args...)
		require.Equal(t, exitUsage, code, args)
		require.Empty(t, out, args)
		require.Contains(t, errOut, "usage:", args)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"-h"}, {"--help"}, {"help", "bundle"}, {"bundle", "make", "-h"}, {"help", "bundle", "make"}} {
		code, out, errOut := call(args...)
		require.Equal(t, exitOK, code, args)
		require.Empty(t, errOut, args)
		require.Contains(t, out, "ringoctl bundle make -o FILE [-files DIR] DIR|ringo.yaml", args)
	}
	_, out, _ := call("help", "bundle")
	require.NotContains(t, out, "version")
}

func TestVersion(t *testing.T) {
	code, out, _ := call("version")
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "machine versions: ringo-1")
}

func TestMakeCheckList(t *testing.T) {
	dir := sources(t)
	file := filepath.Join(t.TempDir(), "demo.bundle")
	code, _, errOut := call("bundle", "make", dir, "-o", file)
	require.Equal(t, exitOK, code, errOut)
	first, err := os.ReadFile(file)
	require.NoError(t, err)

	code, _, errOut = call("bundle", "make", "-o", file, filepath.Join(dir, "ringo.yaml"))
	require.Equal(t, exitOK, code, errOut)
	second, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, first, second, "the same sources give the same bundle")
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file stays")

	code, out, _ := call("bundle", "check", file)
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "sound; node ringo, 1 VMs, 256M of memory")

	code, out, _ = call("bundle", "list", file)
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "demo")
	require.Contains(t, out, "vmlinuz")
}

func TestFilesElsewhere(t *testing.T) {
	dir, files := sources(t), t.TempDir()
	require.NoError(t, os.Rename(filepath.Join(dir, "vmlinuz"), filepath.Join(files, "vmlinuz")))
	file := filepath.Join(t.TempDir(), "demo.bundle")
	code, _, errOut := call("bundle", "make", "-files", files, "-o", file, dir)
	require.Equal(t, exitOK, code, errOut)
	code, _, errOut = call("bundle", "check", file)
	require.Equal(t, exitOK, code, errOut)
}

func TestFailures(t *testing.T) {
	dir := sources(t)
	require.NoError(t, os.Remove(filepath.Join(dir, "vmlinuz")))
	file := filepath.Join(t.TempDir(), "demo.bundle")
	code, _, errOut := call("bundle", "make", "-o", file, dir)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errOut, "ringo.yaml:4: vms[0].kernel: no such file")
	require.NoFileExists(t, file)

	broken := filepath.Join(t.TempDir(), "broken")
	require.NoError(t, os.WriteFile(broken, []byte("not an archive"), 0o644))
	for _, args := range [][]string{
		{"bundle", "check", broken}, {"bundle", "list", broken}, {"bundle", "check", file},
		{"bundle", "make", "-o", file, filepath.Join(dir, "absent")},
		{"bundle", "make", "-o", filepath.Join(dir, "no", "such", "folder"), sources(t)},
	} {
		code, _, errOut := call(args...)
		require.Equal(t, exitFailed, code, args)
		require.NotEmpty(t, errOut, args)
	}
}

func TestWriteWholeKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	require.Error(t, writeWhole(dir, []byte("x")), "a folder is in the way")
	left, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	require.Len(t, left, 1)
}
