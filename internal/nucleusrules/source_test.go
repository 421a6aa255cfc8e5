package nucleusrules

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, root, name, content string) {
	t.Helper()
	name = filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
}

func TestConstants(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.go", "package a\nconst (\n one, two = 1<<10, 4*(2+3)\n)\nconst text = \"x\"\nconst sum = one + two\n")
	found, err := Constants(dir, "one", "two")
	require.NoError(t, err)
	require.Equal(t, map[string]int{"one": 1024, "two": 20}, found)
	for _, name := range []string{"text", "sum", "three"} {
		_, err = Constants(dir, name)
		require.ErrorIs(t, err, ErrNoConstant)
		require.ErrorContains(t, err, name)
	}
	write(t, dir, "b.go", "package")
	_, err = Constants(dir)
	require.Error(t, err)
}

func TestArguments(t *testing.T) {
	root := t.TempDir()
	write(t, root, "svm/a.go", "package svm\nfunc f() { nucleus.OnEachCPU(on); other.OnEachCPU(off) }\n")
	write(t, root, "svm/a_test.go", "package svm\nfunc f() { nucleus.OnEachCPU(tested) }\n")
	write(t, root, "cmd/ringo/main.go", "package main\nfunc main() { nucleus.OnEachCPU(start); nucleus.OnEachCPU(x.run) }\n")
	write(t, root, "qemu-tests/image/main.go", "package main\nfunc main() { nucleus.OnEachCPU(stress) }\n")
	write(t, root, ".git/x.go", "package main\nfunc main() { nucleus.OnEachCPU(hidden) }\n")
	given, err := Arguments(root, "nucleus", "OnEachCPU")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"ringo/svm.on", "main.start", `"x.run"`}, given)
	write(t, root, "svm/b.go", "package")
	_, err = Arguments(root, "nucleus", "OnEachCPU")
	require.Error(t, err)
}

func TestReadImageFails(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "text", "not an image")
	_, err := ReadImage(filepath.Join(dir, "text"))
	require.Error(t, err)
	_, err = ReadImage(filepath.Join(dir, "absent"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
