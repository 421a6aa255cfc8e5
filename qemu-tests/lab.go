package qemutests

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"ringo/api/bundle"
)

// ErrAbsent: something that a test needs is not on this machine, so that it
// cannot run.
var ErrAbsent = errors.New("not there")

// Lab is where tests find what they boot and leave what they have seen.
type Lab struct {
	Build string // the build folder
}

// folder is where logs and bundles go.
func (l Lab) folder() string { return filepath.Join(l.Build, "qemu-tests") }

// prepare finds or makes the files that a stanza boots.
func (l Lab) prepare(s Stanza) (*machine, error) {
	if _, err := exec.LookPath(s.Emulator); err != nil {
		return nil, fmt.Errorf("%w: emulator %s (scripts/install.sh installs the emulators)", ErrAbsent, s.Emulator)
	}
	if err := os.MkdirAll(l.folder(), 0o755); err != nil {
		return nil, err
	}
	m := &machine{Stanza: s}
	if err := l.files(m); err != nil {
		return nil, err
	}
	if m.CD {
		m.disc = filepath.Join(l.folder(), s.Name+".iso")
		return m, makeDisc(m)
	}
	return m, nil
}

// files finds the image or kernel and what goes with it.
func (l Lab) files(m *machine) error {
	if m.Kernel != "" {
		return errors.Join(l.need(m.Kernel, &m.kernel), l.need(m.Initrd, &m.initrd))
	}
	err := l.need(cmp.Or(m.Image, "ringo"), &m.kernel)
	if err != nil {
		return err
	}
	m.initrd, err = l.bundle(m.Stanza)
	return err
}

// makeDisc writes the CD image.
func makeDisc(m *machine) error {
	if _, err := exec.LookPath("grub-mkrescue"); err != nil {
		return fmt.Errorf("%w: grub-mkrescue (scripts/install.sh installs GRUB)", ErrAbsent)
	}
	script, err := fromRoot("scripts/iso.sh")
	if err != nil {
		return err
	}
	out, err := exec.Command(script, m.disc, m.kernel, m.Append, m.initrd).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", script, err, clip(string(out)))
	}
	return nil
}

// fromRoot finds a file of this source tree from any folder in it.
func fromRoot(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%w: %s above the current folder", ErrAbsent, name)
		}
	}
}

// need gives the path of a file of the build folder; no name is no file.
func (l Lab) need(name string, path *string) error {
	if name == "" {
		return nil
	}
	*path = filepath.Join(l.Build, name)
	if _, err := os.Stat(*path); err != nil {
		return fmt.Errorf("%w: %s (make install image guests)", ErrAbsent, *path)
	}
	return nil
}

// bundle writes the stanza's bundle and gives its path; "" if it has none.
func (l Lab) bundle(s Stanza) (string, error) {
	data := s.Broken
	if s.Config != "" {
		made, err := l.makeBundle(s)
		if err != nil {
			return "", err
		}
		data = made
	}
	if data == nil {
		return "", nil
	}
	path := filepath.Join(l.folder(), s.Name+".bundle")
	return path, os.WriteFile(path, data, 0o644)
}

// makeBundle archives ringo.yaml and the stanza's files, without a check: it
// is the node that shall find what is wrong.
func (l Lab) makeBundle(s Stanza) ([]byte, error) {
	files := []bundle.File{{Name: bundle.ConfigName, Data: []byte(s.Config)}}
	for name, source := range s.Files {
		data, err := l.read(source)
		if err != nil {
			return nil, err
		}
		files = append(files, bundle.File{Name: name, Data: data})
	}
	var out bytes.Buffer
	err := bundle.Write(&out, files)
	return out.Bytes(), err
}

func (l Lab) read(s Source) ([]byte, error) {
	if s.Bytes != nil {
		return s.Bytes(), nil
	}
	var path string
	if err := l.need(s.Build, &path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
