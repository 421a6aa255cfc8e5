package bundle

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// File is a file to put into a bundle, or one that was found in it.
type File struct {
	Name string // relative to the bundle's root, with slashes
	Data []byte
}

// Write writes an archive of the files in the order given. The bytes depend
// on names and contents alone, so equal files make equal bundles.
func Write(w io.Writer, files []File) error {
	seen := map[string]bool{}
	out := &recordWriter{w: bufio.NewWriter(w)}
	for i, f := range files {
		name := cleanName(f.Name)
		switch {
		case name == "" || name == newcTrailer || len(name)+1 > maxName || strings.ContainsRune(name, 0):
			return fmt.Errorf("%w: a file cannot have the name %q", ErrArchive, f.Name)
		case seen[name]:
			return fmt.Errorf("%w: file %q is there twice", ErrArchive, name)
		case uint64(len(f.Data)) > math.MaxUint32:
			return fmt.Errorf("%w: file %q has %d bytes, a cpio archive takes at most %d", ErrArchive, name, len(f.Data), uint32(math.MaxUint32))
		}
		seen[name] = true
		out.record(uint32(i+1), name, modeFile|0o644, f.Data)
	}
	out.record(0, newcTrailer, 0, nil)
	return out.flush()
}

// recordWriter keeps the first error and the offset that padding needs.
type recordWriter struct {
	w   *bufio.Writer
	off int
	err error
}

func (o *recordWriter) record(ino uint32, name string, mode uint32, data []byte) {
	var f [newcFields]uint32
	f[newcIno] = ino
	f[newcMode] = mode
	f[newcNLink] = 1
	f[newcFileSize] = uint32(len(data))
	f[newcNameSize] = uint32(len(name) + 1)
	header := []byte(newcMagic)
	for _, v := range f {
		header = fmt.Appendf(header, "%08X", v)
	}
	o.write(header)
	o.write([]byte(name + "\x00"))
	o.pad()
	o.write(data)
	o.pad()
}

func (o *recordWriter) write(p []byte) {
	if o.err != nil {
		return
	}
	var n int
	n, o.err = o.w.Write(p)
	o.off += n
}

func (o *recordWriter) pad() {
	var zero [4]byte
	o.write(zero[:align4(o.off)-o.off])
}

func (o *recordWriter) flush() error {
	if o.err != nil {
		return o.err
	}
	return o.w.Flush()
}

// Make builds a bundle from the text of ringo.yaml. It reads the files that
// the text names by read, which gets names as they stand in ringo.yaml, and
// checks the result as Parse does.
func Make(w io.Writer, config []byte, read func(name string) ([]byte, error)) error {
	d := decoder{}
	b := d.bundle(config)
	if len(d.problems) > 0 {
		return d.problems.sorted()
	}
	files := []File{{Name: ConfigName, Data: config}}
	var missing Problems
	for i := range b.VMs {
		for _, f := range b.VMs[i].files() {
			if slices.ContainsFunc(files, func(have File) bool { return have.Name == f.name }) {
				continue
			}
			data, err := read(f.name)
			if err != nil {
				missing = append(missing, b.VMs[i].Problem(f.key, ErrNoFile, "%v", err))
				continue
			}
			files = append(files, File{Name: f.name, Data: data})
		}
	}
	if len(missing) > 0 {
		return missing.sorted()
	}
	return Write(w, files)
}

// named is a file that a key of a VM names.
type named struct{ key, name string }

// files lists the files that the VM's definition names.
func (v *VM) files() []named {
	list := []named{{"kernel", v.Kernel}}
	if v.Initrd != "" {
		list = append(list, named{"initrd", v.Initrd})
	}
	return list
}
