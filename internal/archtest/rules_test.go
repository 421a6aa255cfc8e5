package archtest

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// edge makes a graph of one import.
func edge(from, to string) []Package {
	return []Package{{ImportPath: Module + "/" + from, Imports: []string{to}}, {ImportPath: "sync", Standard: true}}
}

func TestForbiddenImports(t *testing.T) {
	for _, c := range []struct{ from, to, why string }{
		{"hv", "ringo/nucleus", "may import the nucleus"},
		{"devices/uart", "ringo/nucleus/reg", "may import the nucleus"},
		{"api", "ringo/nucleus", "may import the nucleus"},
		{"cmd/ringoctl", "ringo/nucleus", "may import the nucleus"},
		{"cmd/ringo2", "ringo/nucleus", "may import the nucleus"},
		{"boot/linux", "ringo/nucleus", "may import the nucleus"},
		{"devices/uart", "ringo/hv", "hv is above devices"},
		{"devices", "ringo/svm", "svm is above devices"},
		{"devices/lapic", "ringo/vmx", "vmx is above devices"},
		{"svm", "ringo/vmx", "siblings"},
		{"vmx", "ringo/svm/vmcb", "siblings"},
		{"hv", "ringo/svm", "siblings"},
		{"hv/hvtest", "ringo/svm", "siblings"},
		{"hv", "ringo/hv/hvtest", "siblings"},
		{"storage", "ringo/network", "siblings"},
		{"hv", "ringo/api", "api is above hv"},
		{"cluster/migrate", "ringo/cluster", "cluster is above cluster/migrate"},
		{"hv/vcpu", "ringo/hv", "hv is above hv/vcpu"},
		{"memory", "ringo/memory/npt", "may import only"},
		{"memory", "ringo/hv/vcpu", "may import only"},
		{"x86", "ringo/x86/insn", "may import only"},
		{"x86/insn", "ringo/memory", "may import only"},
		{"snapshot", "ringo/memory", "may import only"},
		{"nucleus/reg", "ringo/x86", "may import only"},
		{"nucleus", "ringo/hv/vcpu", "the nucleus imports only"},
		{"nucleus", "golang.org/x/sys/unix", "the nucleus imports only"},
		{"nucleus", "ringo/memory/npt", "the nucleus imports only"},
		{"attic", "sync", "is in no room"},
		{"api", "ringo/attic", "is in no room"},
	} {
		wrong := Check(edge(c.from, c.to))
		require.Len(t, wrong, 1, "%s -> %s", c.from, c.to)
		require.Contains(t, wrong[0], c.why, "%s -> %s", c.from, c.to)
	}
}

func TestAllowedImports(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"cmd/ringo", "ringo/nucleus"}, {"cmd/ringo", "ringo/svm"}, {"cmd/ringo", "ringo/api"},
		{"svm", "ringo/nucleus/reg"}, {"drivers/uart", "ringo/nucleus"}, {"boot/entry", "ringo/nucleus"},
		{"svm", "ringo/hv/vcpu/apic"}, {"svm", "ringo/memory/npt"}, {"devices/lapic", "ringo/hv/vcpu"},
		{"hv", "ringo/devices/uart"}, {"hv", "ringo/hv/cpuid"}, {"hv/hvtest", "ringo/x86/insn"},
		{"nucleus", "ringo/memory"}, {"nucleus", "ringo/nucleus/reg"}, {"nucleus", "sync"},
		{"nucleus", "gvisor.dev/gvisor/pkg/abi/linux"}, {"memory", "ringo/x86"},
		{"x86/insn", "golang.org/x/arch/x86/x86asm"}, {"x86/insn", "ringo/x86/insn/internal/native"},
		{"api/bundle", "go.yaml.in/yaml/v4"}, {"qemu-tests", "ringo/api/bundle"},
	} {
		require.Empty(t, Check(edge(c.from, c.to)), "%s -> %s", c.from, c.to)
	}
}

func TestLoadFails(t *testing.T) {
	_, err := Load(t.TempDir())
	require.ErrorContains(t, err, "go list")
}

func TestFileRules(t *testing.T) {
	// Put together here so that this file holds none of them itself.
	userPath := "/ho" + "me/jane/src/ringo"
	host := "pro" + "xy.example.org"
	files := fstest.MapFS{
		"good/doc.go":          {Data: []byte("// Package good is described.\npackage good\n")},
		"good/x_unsafe.go":     {Data: []byte("package good\nimport \"unsafe\"\nvar _ unsafe.Pointer\n")},
		"nucleus/doc.go":       {Data: []byte("// Package nucleus is described.\npackage nucleus\n")},
		"nucleus/cpu.go":       {Data: []byte("package nucleus\nimport \"unsafe\"\nvar _ unsafe.Pointer\n")},
		"nucleus/sub/doc.go":   {Data: []byte("// Package sub is described.\npackage sub\n")},
		"nucleus/sub/bad.go":   {Data: []byte("package sub\nimport \"unsafe\"\nvar _ unsafe.Pointer\n")},
		"mute/doc.go":          {Data: []byte("package mute\n")},
		"nodoc/x.go":           {Data: []byte("package nodoc\n")},
		"onlytest/x_test.go":   {Data: []byte("package onlytest\n")},
		"broken/doc.go":        {Data: []byte("// Package broken.\npackage\n")},
		"readme":               {Data: []byte("one\nsee " + userPath + "/x\n")},
		"script":               {Data: []byte("GOPROXY=https://" + host + "/x\n")},
		"cloned":               {Data: []byte("cd /somewhere/ringo/build\n")},
		"binary":               {Data: []byte("\x00 " + userPath + "/ \n")},
		"build/ignored/x.go":   {Data: []byte("package ignored\n")},
		".git/ignored/file.go": {Data: []byte("package ignored\n")},
	}
	tree, err := ReadTree(files)
	require.NoError(t, err)
	require.Equal(t, []string{
		"broken/doc.go has no package comment",
		"mute/doc.go has no package comment",
		"nodoc/doc.go has no package comment",
	}, tree.MissingDocs())

	stray := strings.Join(tree.StrayUnsafe(), "\n")
	require.Contains(t, stray, "nucleus/sub/bad.go imports unsafe")
	require.Contains(t, stray, "broken/doc.go:2")
	require.NotContains(t, stray, "cpu.go")
	require.NotContains(t, stray, "x_unsafe.go")

	private := strings.Join(tree.Private("/somewhere/ringo/"), "\n")
	require.Contains(t, private, "readme:2: names")
	require.Contains(t, private, "script:1: names "+host)
	require.Contains(t, private, "cloned:1: names /somewhere/ringo/")
	require.NotContains(t, private, "binary")
}
