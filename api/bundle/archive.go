package bundle

import (
	"bytes"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// A newc record is a header of 110 ASCII bytes, the name with its NUL, and
// the contents; name and contents are padded to 4 bytes. The reader is our
// own because it must not copy, nor allocate by a length that the header
// claims.
const (
	newcMagic   = "070701"
	newcHeader  = 110
	newcTrailer = "TRAILER!!!"

	maxEntries = 4096
	maxName    = 4096
)

// Fields of the header, each 8 hexadecimal digits, in the order of cpio(5).
const (
	newcIno = iota
	newcMode
	newcUID
	newcGID
	newcNLink
	newcMTime
	newcFileSize
	newcDevMajor
	newcDevMinor
	newcRDevMajor
	newcRDevMinor
	newcNameSize
	newcCheck
	newcFields
)

// File type bits of the mode field.
const (
	modeType    = 0o170000
	modeFile    = 0o100000
	modeDir     = 0o040000
	modeSymlink = 0o120000
)

type kind uint8

const (
	kindFile kind = iota
	kindDir
	kindSymlink
	kindOther
)

// String names a kind for messages.
func (k kind) String() string {
	return [...]string{"file", "directory", "symbolic link", "special file"}[k]
}

// inode identifies the file behind hard links.
type inode struct{ major, minor, ino uint32 }

type entry struct {
	kind kind
	data []byte // slice of the archive
	link inode
	many bool // has hard links: the last record of the set has the contents
}

type archive struct {
	entries map[string]entry // by cleaned name
	linked  map[inode][]byte // contents of files with hard links
}

// readArchive walks a newc archive to its trailer.
func readArchive(data []byte) (*archive, error) {
	a := &archive{entries: map[string]entry{}, linked: map[inode][]byte{}}
	for off := 0; ; {
		name, e, next, err := readRecord(data, off)
		if err != nil {
			return nil, fmt.Errorf("%w at byte %d: %w", ErrArchive, off, err)
		}
		if name == newcTrailer {
			return a, checkPadding(data, next)
		}
		if err := a.add(name, e); err != nil {
			return nil, fmt.Errorf("%w at byte %d: %w", ErrArchive, off, err)
		}
		off = next
	}
}

// add takes one record in. The root directory itself has no name of use.
func (a *archive) add(name string, e entry) error {
	clean := cleanName(name)
	if clean == "" {
		return nil
	}
	if _, ok := a.entries[clean]; ok {
		return fmt.Errorf("file %q is there twice", clean)
	}
	if len(a.entries) == maxEntries {
		return fmt.Errorf("more than %d files", maxEntries)
	}
	a.entries[clean] = e
	if e.many && len(e.data) > 0 {
		a.linked[e.link] = e.data
	}
	return nil
}

// lookup finds a file and the contents behind a hard link.
func (a *archive) lookup(name string) (entry, bool) {
	e, ok := a.entries[name]
	if ok && e.many && len(e.data) == 0 {
		e.data = a.linked[e.link]
	}
	return e, ok
}

// config finds ringo.yaml.
func (a *archive) config() ([]byte, error) {
	e, ok := a.lookup(ConfigName)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w in the archive of %d files; make bundles with \"ringoctl bundle make\"", ErrNoConfig, len(a.entries))
	case e.kind != kindFile:
		return nil, fmt.Errorf("%w: the archive has a %v of that name", ErrNoConfig, e.kind)
	case len(e.data) > MaxConfigSize:
		return nil, &Problem{Err: ErrTooMuch, Msg: fmt.Sprintf("it has %d bytes, at most %d are allowed", len(e.data), MaxConfigSize)}
	}
	return e.data, nil
}

// readRecord reads the record at off and gives the offset of the next one.
func readRecord(data []byte, off int) (name string, e entry, next int, err error) {
	fields, err := readHeader(data[off:])
	if err != nil {
		return "", entry{}, 0, err
	}
	nameAt := off + newcHeader
	nameSize := uint64(fields[newcNameSize])
	if nameSize < 2 || nameSize > maxName {
		return "", entry{}, 0, fmt.Errorf("a name of %d bytes, expected 2 to %d", nameSize, maxName)
	}
	if nameSize > uint64(len(data)-nameAt) {
		return "", entry{}, 0, fmt.Errorf("truncated in a file's name: the archive has %d bytes", len(data))
	}
	raw := data[nameAt : nameAt+int(nameSize)]
	if bytes.IndexByte(raw, 0) != len(raw)-1 {
		return "", entry{}, 0, fmt.Errorf("the name %q does not end in its one NUL", raw)
	}
	name = string(raw[:len(raw)-1])

	size := uint64(fields[newcFileSize])
	dataAt := align4(nameAt + int(nameSize))
	if dataAt > len(data) || size > uint64(len(data)-dataAt) {
		return "", entry{}, 0, fmt.Errorf("truncated: file %q has %d bytes but the archive ends before them at byte %d", name, size, len(data))
	}
	end := dataAt + int(size)
	e = entry{
		kind: kindOf(fields[newcMode]),
		data: data[dataAt:end:end],
		link: inode{fields[newcDevMajor], fields[newcDevMinor], fields[newcIno]},
		many: fields[newcNLink] > 1 && kindOf(fields[newcMode]) == kindFile,
	}
	return name, e, min(align4(end), len(data)), nil
}

// readHeader decodes the fields of the header at the start of b.
func readHeader(b []byte) (fields [newcFields]uint32, err error) {
	if len(b) == 0 {
		return fields, fmt.Errorf("truncated: it ends without the record %q", newcTrailer)
	}
	if n := min(len(b), len(newcMagic)); string(b[:n]) != newcMagic[:n] {
		return fields, fmt.Errorf("found magic %q, expected %q (cpio -H newc, not compressed)", b[:n], newcMagic)
	}
	if len(b) < newcHeader {
		return fields, fmt.Errorf("truncated in a header: %d bytes are left, a header has %d", len(b), newcHeader)
	}
	for i := range fields {
		digits := b[len(newcMagic)+8*i:][:8]
		v, err := strconv.ParseUint(string(digits), 16, 32)
		if err != nil {
			return fields, fmt.Errorf("header field %d is %q, expected 8 hexadecimal digits", i, digits)
		}
		fields[i] = uint32(v)
	}
	return fields, nil
}

// checkPadding allows only zeros after the trailer: anything else is a second
// archive or damage, and would be lost silently.
func checkPadding(data []byte, off int) error {
	rest := data[off:]
	if i := len(rest) - len(bytes.TrimLeft(rest, "\x00")); i < len(rest) {
		return fmt.Errorf("%w at byte %d: data after the end of the archive", ErrArchive, off+i)
	}
	return nil
}

func kindOf(mode uint32) kind {
	switch mode & modeType {
	case modeFile:
		return kindFile
	case modeDir:
		return kindDir
	case modeSymlink:
		return kindSymlink
	}
	return kindOther
}

// cleanName gives "a/b" for "a/b", "./a/b" and "/a//b"; "" for the root.
func cleanName(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

func align4(n int) int { return (n + 3) &^ 3 }
