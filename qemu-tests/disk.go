package qemutests

import (
	"os"
	"path/filepath"
)

// Geometry of the second disk; its file has holes where nothing was written.
const (
	diskCylinders = 260
	diskHeads     = 16
	diskSectors   = 63
	diskBytes     = diskCylinders * diskHeads * diskSectors * 512
)

// diskOf is the file that is a stanza's second disk.
func (l Lab) diskOf(name string) string { return filepath.Join(l.folder(), name+".disk") }

// makeDisk makes an empty disk.
func makeDisk(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Truncate(diskBytes)
}
