package archtest

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// unsafeHomes are the files and folders that may use unsafe without the
// ending _unsafe.go, and why.
var unsafeHomes = map[string]string{
	"nucleus":            "nearly every file of it is about addresses",
	"hv/vcpu/area.go":    "the memory that Go and the nucleus share",
	"memory/contract.go": "PageAllocator gives frames as pointers",
}

// Tree is the project's files with their contents, by slash-separated path.
type Tree map[string][]byte

// ReadTree reads all files below fsys but what is built and what git keeps.
func ReadTree(fsys fs.FS) (Tree, error) {
	t := Tree{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "build" || name == ".git"):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		data, err := fs.ReadFile(fsys, name)
		t[name] = data
		return err
	})
	return t, err
}

// names gives the paths in order.
func (t Tree) names() []string {
	var list []string
	for name := range t {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// MissingDocs gives the folders of Go packages without a doc.go that
// describes the package.
func (t Tree) MissingDocs() []string {
	var wrong []string
	seen := map[string]bool{}
	for _, name := range t.names() {
		dir := path.Dir(name)
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || seen[dir] {
			continue
		}
		seen[dir] = true
		doc := path.Join(dir, "doc.go")
		f, err := parser.ParseFile(token.NewFileSet(), doc, t[doc], parser.PackageClauseOnly|parser.ParseComments)
		if t[doc] == nil || err != nil || f.Doc == nil {
			wrong = append(wrong, fmt.Sprintf("%s has no package comment", doc))
		}
	}
	return wrong
}

// StrayUnsafe gives the files that import unsafe where it does not belong.
func (t Tree) StrayUnsafe() []string {
	var wrong []string
	for _, name := range t.names() {
		if path.Ext(name) != ".go" || mayBeUnsafe(name) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, t[name], parser.ImportsOnly)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		for _, i := range f.Imports {
			if i.Path.Value == `"unsafe"` {
				wrong = append(wrong, fmt.Sprintf("%s imports unsafe; it belongs in a file with the ending _unsafe.go", name))
			}
		}
	}
	return wrong
}

func mayBeUnsafe(name string) bool {
	if strings.HasSuffix(name, "_unsafe.go") || strings.HasSuffix(name, "_unsafe_test.go") {
		return true
	}
	_, file := unsafeHomes[name]
	_, folder := unsafeHomes[path.Dir(name)]
	return file || folder
}

// private is what tells of a machine or a network of whoever wrote a file.
var private = []*regexp.Regexp{
	regexp.MustCompile(`/(home|Users)/[a-z][\w.-]*/`),
	regexp.MustCompile(`(?i)\b(goproxy|proxy|registry|mirrors?|artifact\w*|nexus|sum)\.[a-z0-9][a-z0-9.-]*\.(com|net|org|io|dev|cn|local|internal)\b`),
	regexp.MustCompile(`\bpkg\.dev/`),
}

// Private gives the lines that hold a private path, a registry's host, or one
// of the strings given, such as the folder of this very tree.
func (t Tree) Private(also ...string) []string {
	var wrong []string
	for _, name := range t.names() {
		if bytes.IndexByte(t[name], 0) >= 0 {
			continue // not text
		}
		number := 0
		for line := range bytes.Lines(t[name]) {
			number++
			if found := privatePart(string(line), also); found != "" {
				wrong = append(wrong, fmt.Sprintf("%s:%d: names %s, which is of one machine or network only", name, number, found))
			}
		}
	}
	return wrong
}

func privatePart(line string, also []string) string {
	for _, s := range also {
		if s != "" && strings.Contains(line, s) {
			return s
		}
	}
	for _, re := range private {
		if found := re.FindString(line); found != "" {
			return found
		}
	}
	return ""
}
