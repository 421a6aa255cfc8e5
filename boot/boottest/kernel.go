package boottest

import (
	"os"
	"path/filepath"
	"testing"
)

// KernelEnv names a real bzImage for tests.
const KernelEnv = "RINGO_TEST_KERNEL"

// Kernel gives the real kernel for tests, or skips t if there is none.
func Kernel(t testing.TB) []byte {
	t.Helper()
	path := os.Getenv(KernelEnv)
	if path == "" {
		path = filepath.Join(moduleRoot(t), "build", "cache", "vmlinuz-cloud")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("no real kernel: set %s or run make: %v", KernelEnv, err)
	}
	return b
}

// moduleRoot finds the directory of go.mod above the test.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("no go.mod above the test")
	return ""
}
