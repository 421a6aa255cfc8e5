package qemutests

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeBochs gives a lab and a program with Bochs' name that is this test's
// own.
func fakeBochs(t *testing.T) (Lab, string) {
	t.Helper()
	if _, err := exec.LookPath("grub-mkrescue"); err != nil {
		t.Skip("grub-mkrescue is not installed")
	}
	t.Setenv(fakeVariable, "1")
	self, err := os.Executable()
	require.NoError(t, err)
	lab := Lab{Build: t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(lab.Build, "ringo"), []byte("image"), 0o644))
	program := filepath.Join(lab.Build, Bochs)
	require.NoError(t, os.Symlink(self, program))
	return lab, program
}

func TestBochs(t *testing.T) {
	off := "stderr [ACPI  ] ACPI control: soft power off;exit 1"
	for _, c := range []struct {
		name, script string
		stanza       Stanza
		want         string // part of the reason, "" to pass
	}{
		{"power-off", "say one;read;" + off, Stanza{Script: []Step{{"one", "two {seed}\n"}, {Expect: `got "two 5`}}}, ""},
		{"ended by the runner", "say one;hang", Stanza{Script: Expect("one"), Exit: Killed}, ""},
		{"fails", "say one;stderr some panic;exit 1", Stanza{Script: Expect("one")}, "expected code 0"},
		{"step missing", "say one;" + off, Stanza{Script: Expect("two")}, "never appeared"},
		{"never connects", "deaf", Stanza{Script: Expect("one")}, "ended with code 3"},
		{"too slow", "say one;hang", Stanza{Script: Expect("two"), Timeout: 2 * time.Second}, "not finished within 2s"},
		{"memory", "say one", Stanza{Script: Expect("one"), Memory: "1T"}, `memory "1T"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			lab, program := fakeBochs(t)
			s := c.stanza
			s.Name, s.Emulator, s.Append = "bochs", program, c.script
			r := lab.Run(context.Background(), s, 5)
			if c.want == "" {
				require.Equal(t, Pass, r.Verdict, r.String())
				log, err := os.ReadFile(r.Log)
				require.NoError(t, err)
				require.Contains(t, string(log), "one\n")
				return
			}
			require.Equal(t, Fail, r.Verdict)
			require.Contains(t, r.Reason, c.want)
		})
	}
}

func TestBochsConfig(t *testing.T) {
	m := machine{Stanza: Stanza{Emulator: Bochs, SMP: 2, Memory: "512M"}.normal(1), disc: "d.iso"}
	text, err := m.bochsConfig(7, "log")
	require.NoError(t, err)
	for _, part := range []string{"model=corei7_skylake_x, count=2, ", "guest=512, host=512", `path="d.iso"`, "dev=127.0.0.1:7\n", `log: "log"`} {
		require.Contains(t, text, part)
	}
	require.Contains(t, text, "ips=400000000,")
	require.True(t, m.CD, "Bochs boots from a CD only")
	m.IPS = 7_000_000
	text, err = m.bochsConfig(7, "log")
	require.NoError(t, err)
	require.Contains(t, text, "ips=7000000,")
}

func TestBochsDebugger(t *testing.T) {
	lab, program := fakeBochs(t)
	var screen bytes.Buffer
	r := lab.Run(t.Context(), Stanza{
		Name: "debug", Emulator: program, Append: "stderr traced;say one;hang", Script: Expect("one"), Exit: Killed,
		Debugger: []string{"c", "trace on"}, Screen: &screen, Args: []string{"magic_break: enabled=1"},
	}, 1)
	require.Equal(t, Pass, r.Verdict, r.String())
	commands, err := os.ReadFile(filepath.Join(lab.folder(), "debug.cmd"))
	require.NoError(t, err)
	require.Equal(t, "c\ntrace on\n", string(commands))
	log, err := os.ReadFile(r.Log)
	require.NoError(t, err)
	require.Contains(t, string(log), `"magic_break: enabled=1"]`)
	require.Contains(t, screen.String(), "traced")
}

func TestMakeDiscRefuses(t *testing.T) {
	lab, program := fakeBochs(t)
	r := lab.Run(context.Background(), Stanza{Name: "x", Emulator: program, Append: "it's", Script: Expect("y")}, 1)
	require.Equal(t, Fail, r.Verdict)
	require.Contains(t, r.Reason, "no quote")
}

func TestAttach(t *testing.T) {
	lab, program := fakeBochs(t)
	t.Setenv("PATH", filepath.Dir(program)+":"+os.Getenv("PATH"))
	var out bytes.Buffer
	s := Stanza{Name: "a", Append: "say hello;read;stderr ACPI control: soft power off;exit 1"}
	require.NoError(t, lab.Attach(t.Context(), s, bytes.NewBufferString("typed\n"), &out))
	require.Contains(t, out.String(), "hello\ngot \"typed\\n\"")

	s.Append = "stderr no such thing;exit 2"
	require.ErrorContains(t, lab.Attach(t.Context(), s, bytes.NewBufferString(""), io.Discard), "no such thing")

	s.Append = "hang"
	require.NoError(t, lab.Attach(t.Context(), s, bytes.NewBufferString("\x01x"), io.Discard), "ended by its user")
}

func TestTypeKeys(t *testing.T) {
	for _, c := range []struct {
		typed, sent string
		end         bool
	}{
		{"abc", "abc", false},
		{"a\x01xb", "", true},
		{"a\x01\x01x", "a\x01x", false},
		{"\x01b", "b", false},
	} {
		var line bytes.Buffer
		require.Equal(t, c.end, typeKeys(&line, bytes.NewBufferString(c.typed)), "%q", c.typed)
		require.Equal(t, c.sent, line.String(), "%q", c.typed)
	}
}
