package nucleusrules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// modulePath is this project's.
const modulePath = "ringo"

// otherImages are folders of programs of their own, which run on the nucleus
// with rules that they test themselves.
var otherImages = []string{"qemu-tests", "build", "internal"}

// Arguments gives the first arguments of all calls pkg.function in the
// module's source below root, tests excluded, as the linker names them. One
// that is not the name of a function gives its text in quotes, which no
// function has for a name.
func Arguments(root, pkg, function string) ([]string, error) {
	var given []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && isOther(filepath.ToSlash(rel)):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		home := path.Join(modulePath, filepath.ToSlash(filepath.Dir(rel)))
		if f.Name.Name == "main" {
			home = "main"
		}
		given = append(given, argumentsIn(f, home, pkg+"."+function)...)
		return nil
	})
	return given, err
}

func isOther(rel string) bool {
	for _, o := range otherImages {
		if rel == o {
			return true
		}
	}
	return rel != "." && strings.HasPrefix(rel, ".")
}

// argumentsIn gives those of one file of the package home.
func argumentsIn(f *ast.File, home, function string) []string {
	var given []string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 || types.ExprString(call.Fun) != function {
			return true
		}
		if id, ok := call.Args[0].(*ast.Ident); ok {
			given = append(given, home+"."+id.Name)
		} else {
			given = append(given, fmt.Sprintf("%q", types.ExprString(call.Args[0])))
		}
		return true
	})
	return given
}
