package nucleusrules

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// link builds a program of this module into a temporary folder.
func link(t *testing.T, pkg string, flags ...string) *Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image")
	args := append([]string{"build", "-trimpath", "-o", out}, flags...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "go build %s: %s", pkg, text)
	image, err := ReadImage(out)
	require.NoError(t, err)
	return image
}
