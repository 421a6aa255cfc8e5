package initramfs

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProcess32 runs the 32-bit program on this machine, if its kernel can.
func TestProcess32(t *testing.T) {
	program := content(t, build(t, "test")[Process32])
	name := filepath.Join(t.TempDir(), Process32)
	require.NoError(t, os.WriteFile(name, program, 0o755))
	f, err := elf.Open(name)
	require.NoError(t, err)
	require.Equal(t, elf.EM_386, f.Machine)
	require.Equal(t, elf.ELFCLASS32, f.Class)
	require.NoError(t, f.Close())

	cmd := exec.CommandContext(t.Context(), name)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	if err := cmd.Start(); err != nil {
		t.Skip("this machine runs no 32-bit programs: ", err)
	}
	r := bufio.NewReader(out)
	for want := uint32(1); want <= 5; want++ {
		var got uint32
		require.NoError(t, binary.Read(r, binary.LittleEndian, &got))
		require.Equal(t, want, got)
	}
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
}
