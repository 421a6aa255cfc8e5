package initramfs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/u-root/gobusybox/src/pkg/bb"
	"github.com/u-root/gobusybox/src/pkg/golang"
	"github.com/u-root/u-root/pkg/cpio"
)

// commandsDir holds the module whose tools are the demo's commands.
const commandsDir = "qemu-tests/initramfs/commands"

// demoFiles builds u-root's commands into one binary and links each name to
// it.
func demoFiles(ctx context.Context, root string) ([]cpio.Record, error) {
	dir := filepath.Join(root, commandsDir)
	commands, err := tools(ctx, dir)
	if err != nil {
		return nil, err
	}
	binary, err := busybox(dir, commands)
	if err != nil {
		return nil, err
	}
	records := []cpio.Record{
		cpio.Directory("bbin", 0o755),
		cpio.Directory("bin", 0o755),
		cpio.Directory("root", 0o700),
		cpio.StaticFile("bbin/bb", string(binary), 0o755),
		cpio.Symlink("init", "bbin/init"),
		cpio.Symlink("bin/sh", "../bbin/gosh"),
		cpio.Symlink("bin/defaultsh", "../bbin/gosh"),
	}
	for _, c := range commands {
		records = append(records, cpio.Symlink("bbin/"+path.Base(c), "bb"))
	}
	return records, nil
}

// tools lists the import paths of the tools of the module in dir, sorted: the
// go command gives them in any order.
func tools(ctx context.Context, dir string) ([]string, error) {
	out, err := goCommand(ctx, dir, "list", "tool")
	list := strings.Fields(string(out))
	slices.Sort(list)
	return list, err
}

// busybox links several commands into one binary.
func busybox(dir string, commands []string) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "ringo-busybox-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	binary := filepath.Join(tmp, "bb")
	// goshsmall: a shell without a line editor, which would fill a serial
	// line with escape sequences; the terminal's own editing is enough.
	env := golang.Default(golang.DisableCGO(), golang.WithGOOS("linux"), golang.WithGOARCH("amd64"),
		golang.WithBuildTag("goshsmall"), golang.WithWorkingDir(dir))
	var log bytes.Buffer
	err = bb.BuildBusybox(printer{&log}, &bb.Opts{
		Env:          env,
		GenSrcDir:    filepath.Join(tmp, "src"),
		CommandPaths: commands,
		BinaryPath:   binary,
		GoBuildOpts:  &golang.BuildOpts{},
	})
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, log.Bytes())
	}
	return os.ReadFile(binary)
}

// printer keeps the builder's messages for the case that it fails.
type printer struct{ w *bytes.Buffer }

// Printf implements the builder's logger.
func (p printer) Printf(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// Print implements the builder's logger.
func (p printer) Print(args ...any) { fmt.Fprintln(p.w, args...) }

// testFiles builds the program that is init of the test guest, and its 32-bit
// companion.
func testFiles(ctx context.Context, root string) ([]cpio.Record, error) {
	tmp, err := os.MkdirTemp("", "ringo-testinit-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	binary := filepath.Join(tmp, "init")
	_, err = goCommand(ctx, root, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, "./qemu-tests/testinit")
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	other, err := process32Program()
	if err != nil {
		return nil, err
	}
	return []cpio.Record{
		cpio.StaticFile("init", string(data), 0o755),
		cpio.StaticFile(Process32, string(other), 0o755),
	}, nil
}

// goCommand runs the go command in dir for a static Linux guest.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s in %s: %w\n%s", strings.Join(args, " "), dir, err, errOut.Bytes())
	}
	return out, nil
}
