package nucleusrules

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
)

// ErrNoConstant says that a package declares no such integer constant.
var ErrNoConstant = errors.New("no integer constant of that name and of literals only")

// Constants reads integer constants from the source of the package in dir:
// those that are declared with an expression of literals.
func Constants(dir string, names ...string) (map[string]int, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	found := map[string]int{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
				declared(g, found)
			}
		}
	}
	for _, name := range names {
		if _, ok := found[name]; !ok {
			return nil, fmt.Errorf("%s in %s: %w", name, dir, ErrNoConstant)
		}
	}
	return found, nil
}

// declared evaluates the constants of one declaration.
func declared(g *ast.GenDecl, found map[string]int) {
	for _, s := range g.Specs {
		v := s.(*ast.ValueSpec)
		for i, name := range v.Names {
			if i >= len(v.Values) {
				continue
			}
			tv, err := types.Eval(token.NewFileSet(), nil, token.NoPos, types.ExprString(v.Values[i]))
			if err != nil || tv.Value == nil {
				continue
			}
			if n, exact := constant.Int64Val(constant.ToInt(tv.Value)); exact {
				found[name.Name] = int(n)
			}
		}
	}
}
