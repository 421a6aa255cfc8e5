package archtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Module is this project's module path.
const Module = "ringo"

// Package is a package and what it imports directly, without its tests.
type Package struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// Load lists the packages of the project and all that they depend on, in the
// module whose root is dir.
func Load(dir string) ([]Package, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	var errOut strings.Builder
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, errOut.String())
	}
	var list []Package
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p Package
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		list = append(list, p)
	}
}

// local gives a path without the module, and whether it is of the module.
func local(path string) (string, bool) {
	return strings.CutPrefix(path, Module+"/")
}
