package initramfs

import (
	"bytes"
	"context"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/u-root/u-root/pkg/cpio"
)

// records reads an archive back.
func records(t *testing.T, data []byte) map[string]cpio.Record {
	t.Helper()
	list, err := cpio.ReadAllRecords(cpio.Newc.Reader(bytes.NewReader(data)))
	require.NoError(t, err)
	byName := map[string]cpio.Record{}
	for _, r := range list {
		byName[r.Name] = r
	}
	return byName
}

func content(t *testing.T, r cpio.Record) []byte {
	t.Helper()
	data := make([]byte, r.FileSize)
	_, err := r.ReadAt(data, 0)
	require.NoError(t, err)
	return data
}

// build makes an image and checks what every image has.
func build(t *testing.T, name string) map[string]cpio.Record {
	t.Helper()
	i, err := Find(name)
	require.NoError(t, err)
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	first, err := i.Build(context.Background(), root)
	require.NoError(t, err)
	second, err := i.Build(context.Background(), root)
	require.NoError(t, err)
	require.True(t, bytes.Equal(first, second), "the same sources give the same bytes")

	files := records(t, first)
	require.Contains(t, files, "init")
	require.Contains(t, files, "dev/console")
	return files
}

func TestTestImage(t *testing.T) {
	init := content(t, build(t, "test")["init"])
	f, err := elf.NewFile(bytes.NewReader(init))
	require.NoError(t, err)
	require.Equal(t, elf.EM_X86_64, f.Machine)
	for _, p := range f.Progs {
		require.NotEqual(t, elf.PT_INTERP, p.Type, "init must be static: the image has no loader")
	}
}

// TestBenchProgram runs the bench program on this machine, never as root:
// without the privilege to reboot it prints its line and spins.
func TestBenchProgram(t *testing.T) {
	init := content(t, build(t, "bench")["init"])
	f, err := elf.NewFile(bytes.NewReader(init))
	require.NoError(t, err)
	entry := init[f.Entry-benchBase:]
	require.Equal(t, []byte{0x0f, 0x31}, entry[:2], "the first instruction is RDTSC")

	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755), "others may enter")
	name := filepath.Join(dir, "init")
	require.NoError(t, os.WriteFile(name, init, 0o755))
	cmd := exec.Command(name)
	if os.Geteuid() == 0 {
		nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: nobody}
	}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	if err := cmd.Start(); err != nil {
		t.Skipf("cannot run a program without privileges here: %v", err)
	}
	line := make([]byte, len(BenchLine))
	_, err = io.ReadFull(out, line)
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.Regexp(t, regexp.MustCompile(`^RINGO-INIT tsc=[0-9a-f]{16}\n$`), string(line))
	require.NotContains(t, string(line), "0000000000000000")
}

// TestDemoImage takes the commands from the module alone: to build them takes
// most of a minute, which make does when it needs the image.
func TestDemoImage(t *testing.T) {
	dir, err := filepath.Abs("commands")
	require.NoError(t, err)
	list, err := tools(context.Background(), dir)
	require.NoError(t, err)
	require.IsIncreasing(t, list)
	for _, name := range []string{"init", "gosh", "ls", "cat", "ps", "dmesg", "uname", "free", "date", "poweroff", "shutdown", "sleep"} {
		require.Contains(t, list, "github.com/u-root/u-root/cmds/core/"+name)
	}
}

func TestNames(t *testing.T) {
	for _, i := range Images() {
		require.Equal(t, "initramfs-"+i.Name+".cpio", i.FileName())
		require.Contains(t, i.String(), i.Name)
	}
	_, err := Find("nope")
	require.Error(t, err)
}

func TestGoCommandFails(t *testing.T) {
	_, err := goCommand(context.Background(), ".", "build", "./no-such-folder")
	require.ErrorContains(t, err, "no-such-folder")
}
