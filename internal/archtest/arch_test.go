package archtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "go.mod"))
	return dir
}

func tree(t *testing.T) Tree {
	t.Helper()
	files, err := ReadTree(os.DirFS(root(t)))
	require.NoError(t, err)
	require.Contains(t, files, "internal/archtest/doc.go")
	return files
}

func TestImports(t *testing.T) {
	graph, err := Load(root(t))
	require.NoError(t, err)
	require.NotEmpty(t, graph)
	for _, wrong := range Check(graph) {
		t.Error(wrong)
	}
}

func TestDocs(t *testing.T) {
	for _, wrong := range tree(t).MissingDocs() {
		t.Error(wrong)
	}
}

func TestUnsafe(t *testing.T) {
	for _, wrong := range tree(t).StrayUnsafe() {
		t.Error(wrong)
	}
}

func TestNothingPrivate(t *testing.T) {
	home, _ := os.UserHomeDir()
	if home != "" {
		home += "/"
	}
	for _, wrong := range tree(t).Private(root(t)+"/", home) {
		t.Error(wrong)
	}
}
