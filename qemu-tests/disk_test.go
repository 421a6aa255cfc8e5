package qemutests

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// secondDisk opens the second disk in the place of a guest.
func secondDisk(args []string) *os.File {
	_, path, _ := strings.Cut(args[slices.Index(args, "-drive")+1], "file=")
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(err)
	return f
}

// leave writes text to the disk.
func leave(args []string, text string) {
	f := secondDisk(args)
	_, err := f.WriteAt([]byte(text), 0)
	must(err)
	must(f.Close())
}

// find prints n bytes of the disk.
func find(args []string, n int64) {
	p, err := io.ReadAll(io.NewSectionReader(secondDisk(args), 0, n))
	must(err)
	fmt.Printf("found %q\n", p)
}

// TestFirst: the second machine finds what the first one has left on the disk,
// and does not start if the first fails. A disk of a run before is not used.
func TestFirst(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv(fakeVariable, "1")
	lab := Lab{Build: t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(lab.Build, "ringo"), nil, 0o644))
	for _, c := range []struct{ name, first, want string }{
		{"passes", "leave snapshot {seed};say up", ""},
		{"nothing left", "say up", `found \"snapshot`},
		{"first fails", "leave snapshot 7;say down", `"up"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := lab.Run(context.Background(), Stanza{
				Name: "move", Emulator: self, Append: "find 10", Script: Expect(`found "snapshot 7"`),
				First: &Stanza{Emulator: self, Append: c.first, Script: Expect("up")},
			}, 7)
			if c.want == "" {
				require.Equal(t, Pass, r.Verdict, r.String())
				return
			}
			require.Equal(t, Fail, r.Verdict)
			require.Contains(t, r.Reason, c.want)
		})
	}
}

// TestDiskIsMade: a lab without a place for the disk says so.
func TestDiskIsMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	require.NoError(t, makeDisk(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, diskBytes, info.Size())
	require.Error(t, makeDisk(filepath.Join(path, "c")), "its folder is a file")
	r := Lab{Build: path}.Run(context.Background(), Stanza{Name: "x", First: &Stanza{}}, 1)
	require.Equal(t, Fail, r.Verdict)
}

// TestDiskOfBochs: Bochs is told the geometry, and nothing without a disk.
func TestDiskOfBochs(t *testing.T) {
	m := machine{Stanza: Stanza{Emulator: Bochs}.normal(1), disc: "d.iso"}
	text, err := m.bochsConfig(1, "log")
	require.NoError(t, err)
	require.NotContains(t, text, "ata0-slave")
	m.Disk = "x.disk"
	text, err = m.bochsConfig(1, "log")
	require.NoError(t, err)
	require.Contains(t, text, "ata0-slave: type=disk, mode=flat, path=\"x.disk\", cylinders=260, heads=16, spt=63\n")
}
