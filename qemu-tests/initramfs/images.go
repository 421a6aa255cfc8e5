package initramfs

import (
	"bytes"
	"context"
	"fmt"

	"github.com/u-root/u-root/pkg/cpio"
)

// Image is one kind of initial RAM disk.
type Image struct {
	Name  string // demo, test or bench
	about string
	files func(ctx context.Context, root string) ([]cpio.Record, error)
}

// Images lists all kinds.
func Images() []Image {
	return []Image{
		{"demo", "u-root's shell and commands", demoFiles},
		{"test", "reports, checks and powers off", testFiles},
		{"bench", "prints the time of its first instruction", benchFiles},
	}
}

// Find gives the image of a name.
func Find(name string) (Image, error) {
	for _, i := range Images() {
		if i.Name == name {
			return i, nil
		}
	}
	return Image{}, fmt.Errorf("initramfs: there is no image %q", name)
}

// FileName is the name of the image's file: initramfs-demo.cpio.
func (i Image) FileName() string { return "initramfs-" + i.Name + ".cpio" }

// String describes the image in a line.
func (i Image) String() string { return i.Name + ": " + i.about }

// Build makes the archive, not compressed: an emulated processor is slow at
// that. root is the folder of this project's go.mod.
func (i Image) Build(ctx context.Context, root string) ([]byte, error) {
	records, err := i.files(ctx, root)
	if err != nil {
		return nil, fmt.Errorf("initramfs: %s: %w", i.Name, err)
	}
	var out bytes.Buffer
	w := cpio.Newc.Writer(&out)
	if err := cpio.WriteRecords(w, append(base(), records...)); err != nil {
		return nil, fmt.Errorf("initramfs: %s: %w", i.Name, err)
	}
	if err := cpio.WriteTrailer(w); err != nil {
		return nil, fmt.Errorf("initramfs: %s: %w", i.Name, err)
	}
	return out.Bytes(), nil
}

// base is what every image has: the folders for mounts, and the console,
// which the kernel opens for init before anything is mounted.
func base() []cpio.Record {
	return []cpio.Record{
		cpio.Directory("dev", 0o755),
		cpio.CharDev("dev/console", 0o600, 5, 1),
		cpio.CharDev("dev/null", 0o666, 1, 3),
		cpio.Directory("proc", 0o755),
		cpio.Directory("sys", 0o755),
		cpio.Directory("tmp", 0o777),
	}
}
