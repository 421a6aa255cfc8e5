package bundle

import (
	"slices"
	"strings"
)

// ConfigName is the file of a bundle that describes it.
const ConfigName = "ringo.yaml"

// Bundle is a parsed bundle: what the node shall be and run.
type Bundle struct {
	Node Node
	VMs  []VM // in the order of ringo.yaml

	files *archive
}

// Parse reads a bundle from a cpio archive in the newc format. The bundle
// keeps slices of data, so data must not change while the bundle is in use.
//
// An error is either one that wraps ErrArchive or ErrNoConfig, or Problems:
// all that is wrong in ringo.yaml, in the order of its lines.
func Parse(data []byte) (*Bundle, error) {
	files, err := readArchive(data)
	if err != nil {
		return nil, err
	}
	config, err := files.config()
	if err != nil {
		return nil, err
	}
	d := decoder{files: files}
	b := d.bundle(config)
	if len(d.problems) > 0 {
		return nil, d.problems.sorted()
	}
	b.files = files
	return b, nil
}

// File gives the contents of a file by the name that ringo.yaml uses for it.
// They are a slice of the archive and must not be written.
func (b *Bundle) File(name string) ([]byte, bool) {
	e, ok := b.files.lookup(cleanName(name))
	if !ok || e.kind != kindFile {
		return nil, false
	}
	return e.data, true
}

// Files gives the names and contents of the files in the archive, sorted by
// name.
func (b *Bundle) Files() []File {
	var list []File
	for name, e := range b.files.entries {
		if e.kind == kindFile {
			list = append(list, File{Name: name, Data: e.data})
		}
	}
	slices.SortFunc(list, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	return list
}

// MemoryNeeded is the RAM in bytes of all VMs that start by themselves. It
// cannot wrap round: the number of VMs and the RAM of each are limited.
func (b *Bundle) MemoryNeeded() uint64 {
	var sum uint64
	for i := range b.VMs {
		if b.VMs[i].Autostart {
			sum += b.VMs[i].Memory
		}
	}
	return sum
}

// StartOrder gives the indices into VMs of those that start by themselves,
// in the order in which they start: by start-order, then as in ringo.yaml.
func (b *Bundle) StartOrder() []int {
	var order []int
	for i := range b.VMs {
		if b.VMs[i].Autostart {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(x, y int) int {
		return b.VMs[x].StartOrder - b.VMs[y].StartOrder
	})
	return order
}
