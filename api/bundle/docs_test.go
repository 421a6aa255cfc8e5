package bundle

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// listed gives the keys of a table as docs/bundle.md writes them.
func listed[T any](prefix string, keys []key[T]) []string {
	var list []string
	for _, k := range keys {
		list = append(list, prefix+k.name)
	}
	return list
}

func TestDocsNameEveryKey(t *testing.T) {
	page, err := os.ReadFile("../../docs/bundle.md")
	require.NoError(t, err)
	nested := map[string]bool{"console": true, "cpuid": true}
	all := append(listed("", nodeKeys), listed("", vmKeys)...)
	all = append(all, listed("console.", nodeConsoleKeys)...)
	all = append(all, listed("console.", vmConsoleKeys)...)
	all = append(all, listed("cpuid.", cpuidKeys)...)
	for _, k := range all {
		if !nested[k] {
			require.Contains(t, string(page), "\n| `"+k+"` |", "docs/bundle.md has no row for it")
		}
	}
	rows := strings.Count(string(page), "\n| `")
	require.Equal(t, len(all)-len([]string{"node.console", "vm.console", "vm.cpuid"}), rows, "docs/bundle.md has a row of a key that is not there")
}

func TestTheDemonstrationIsSound(t *testing.T) {
	config, err := os.ReadFile("../../demo/ringo.yaml")
	require.NoError(t, err)
	require.NoError(t, Make(&bytes.Buffer{}, config, func(string) ([]byte, error) { return []byte("x"), nil }))
}
