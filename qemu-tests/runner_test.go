package qemutests

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/api/bundle"
)

// fakeVariable makes this test's own program play the emulator: it does what
// the host's command line (-append) says.
const fakeVariable = "RINGO_FAKE_EMULATOR"

func TestMain(m *testing.M) {
	if os.Getenv(fakeVariable) != "" {
		fakeEmulator(os.Args[1:])
	}
	os.Exit(m.Run())
}

// fakeEmulator runs a small script: commands separated by ';'.
func fakeEmulator(args []string) {
	words := strings.Split(fakeScript(args), ";")
	input := bufio.NewReader(os.Stdin)
	for _, w := range words {
		command, rest, _ := strings.Cut(w, " ")
		switch command {
		case "say":
			fmt.Println(rest)
		case "prompt":
			fmt.Print(rest)
		case "stderr":
			fmt.Fprintln(os.Stderr, rest)
		case "read":
			line, _ := input.ReadString('\n')
			fmt.Printf("got %q\n", line)
		case "exit":
			code, _ := strconv.Atoi(rest)
			os.Exit(code)
		case "leave":
			leave(args, rest)
		case "find":
			n, _ := strconv.Atoi(rest)
			find(args, int64(n))
		case "flood":
			fmt.Print(strings.Repeat("x", 3*maxLine))
		case "child":
			// A process that outlives its parent unless the group is ended.
			child := exec.Command("sleep", "300")
			child.Stdout = os.Stdout
			if err := child.Start(); err != nil {
				panic(err)
			}
			fmt.Printf("child %d\n", child.Process.Pid)
		case "hang":
			time.Sleep(time.Hour)
		}
	}
	os.Exit(0)
}

// fakeScript finds the script: QEMU gets it in an argument, Bochs on the CD
// that its configuration names. In Bochs' place the serial port is connected
// first.
func fakeScript(args []string) string {
	if i := slices.Index(args, "-append"); i >= 0 {
		return args[i+1]
	}
	config, err := os.ReadFile(args[slices.Index(args, "-f")+1])
	must(err)
	field := func(text []byte, pattern string) string {
		return string(regexp.MustCompile(pattern).FindSubmatch(text)[1])
	}
	disc, err := os.ReadFile(field(config, `path="(.*)"`))
	must(err)
	script := strings.ReplaceAll(field(disc, `linux /boot/ringo (.*)\n`), "'", "")
	if script == "deaf" {
		os.Exit(3)
	}
	line, err := net.Dial("tcp", field(config, `dev=(127.*)\n`))
	must(err)
	file, err := line.(*net.TCPConn).File()
	must(err)
	os.Stdin, os.Stdout = file, file
	return script
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fake runs a stanza whose emulator is this program.
func fake(t *testing.T, script string, s Stanza) (Result, string) {
	t.Helper()
	t.Setenv(fakeVariable, "1")
	self, err := os.Executable()
	require.NoError(t, err)
	lab := Lab{Build: t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(lab.Build, "kernel"), nil, 0o644))
	s.Name, s.Emulator, s.Append = "fake", self, script
	if s.Kernel == "" {
		s.Kernel = "kernel"
	}
	if s.Timeout == 0 {
		s.Timeout = 20 * time.Second
	}
	r := lab.Run(context.Background(), s, 7)
	log, _ := os.ReadFile(r.Log)
	return r, string(log)
}

func TestRunPasses(t *testing.T) {
	r, log := fake(t, "say one;prompt name? ;read;say two;stderr warning;exit 3", Stanza{
		Script: []Step{{Expect: "^one$"}, {Expect: `name\? $`, Send: "ringo {seed}\n"}, {Expect: `got "ringo 7\\n"`}, {Expect: "two"}},
		Exit:   3,
	})
	require.Equal(t, Pass, r.Verdict, r.String())
	require.Contains(t, log, "name? got")
	require.Contains(t, log, "warning", "the emulator's own messages are in the log")
	require.Contains(t, r.String(), "PASS fake")
}

func TestRunEndsTheEmulator(t *testing.T) {
	r, _ := fake(t, "say up;hang", Stanza{Script: Expect("up"), Exit: Killed})
	require.Equal(t, Pass, r.Verdict, r.String())
	require.Less(t, r.Took, 10*time.Second)
}

func TestRunFails(t *testing.T) {
	for _, c := range []struct {
		name, script string
		stanza       Stanza
		want         string
	}{
		{"step missing", "say one;exit 0", Stanza{Script: Expect("one", "two")}, `step 2 of 2 never appeared: "two"`},
		{"wrong order", "say two;say one;exit 0", Stanza{Script: Expect("one", "two")}, `step 2 of 2 never appeared`},
		{"one line is not two", "say ab;exit 0", Stanza{Script: Expect("ab", "b")}, "step 2 of 2"},
		{"wrong code", "say one;exit 2", Stanza{Script: Expect("one")}, "expected code 0"},
		{"dies before its end", "say one;exit 2", Stanza{Script: Expect("one", "two"), Exit: Killed}, "the emulator ended with code 2"},
		{"forbidden", "say bad thing;hang", Stanza{Script: Expect("one"), Forbid: []string{"^bad"}}, `shows "bad thing"`},
		{"forbidden without end of line", "prompt bad;exit 0", Stanza{Forbid: []string{"bad"}}, `shows "bad"`},
		{"forbidden after the script", "say one;say bad;exit 0", Stanza{Script: Expect("one"), Forbid: []string{"bad"}}, `shows "bad"`},
		{"host panic", "say panic: oh no;hang", Stanza{Script: Expect("one")}, "panic: oh no"},
		{"too slow", "say one;hang", Stanza{Script: Expect("two"), Timeout: 300 * time.Millisecond}, "not finished within 300ms"},
		{"too slow to end", "say one;hang", Stanza{Script: Expect("one"), Timeout: 300 * time.Millisecond}, "not finished within 300ms"},
		{"bad expression", "exit 0", Stanza{Script: Expect("(")}, "missing closing"},
		{"bad forbidden expression", "exit 0", Stanza{Forbid: []string{"("}}, "missing closing"},
		{"long line", "flood;exit 0", Stanza{Script: Expect("y")}, "step 1 of 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := fake(t, c.script, c.stanza)
			require.Equal(t, Fail, r.Verdict, r.String())
			require.Contains(t, r.Reason, c.want)
			require.Less(t, len(r.Reason), 1000)
		})
	}
}

func TestRunSkips(t *testing.T) {
	r, _ := fake(t, "exit 0", Stanza{Kernel: "no-such-kernel"})
	require.Equal(t, Skip, r.Verdict)
	require.Contains(t, r.Reason, "no-such-kernel")

	lab := Lab{Build: t.TempDir()}
	r = lab.Run(context.Background(), Stanza{Name: "x", Emulator: "no-such-emulator"}, 1)
	require.Equal(t, Skip, r.Verdict)
	require.Contains(t, r.Reason, "no-such-emulator")
}

func TestRunEndsTheWholeGroup(t *testing.T) {
	r, log := fake(t, "child;say up;hang", Stanza{Script: Expect("up"), Exit: Killed})
	require.Equal(t, Pass, r.Verdict, r.String())
	at := strings.Index(log, "child ")
	require.Positive(t, at)
	pid, err := strconv.Atoi(strings.Fields(log[at:])[1])
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return syscall.Kill(pid, 0) == syscall.ESRCH || err != nil || bytes.Contains(state, []byte(") Z "))
	}, 5*time.Second, 20*time.Millisecond, "the emulator's child %d is still there", pid)
}

func TestCancel(t *testing.T) {
	t.Setenv(fakeVariable, "1")
	self, err := os.Executable()
	require.NoError(t, err)
	lab := Lab{Build: t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(lab.Build, "kernel"), nil, 0o644))
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(200*time.Millisecond, cancel)
	r := lab.Run(ctx, Stanza{Name: "c", Emulator: self, Kernel: "kernel", Append: "hang", Script: Expect("x")}, 1)
	require.Equal(t, Fail, r.Verdict)
	require.Less(t, r.Took, 10*time.Second)
}

func TestBundleOfAStanza(t *testing.T) {
	lab := Lab{Build: t.TempDir()}
	require.NoError(t, os.MkdirAll(lab.folder(), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(lab.Build, "k"), []byte("KERNEL"), 0o644))
	path, err := lab.bundle(Stanza{
		Name:   "b",
		Config: "vms: [{name: a, memory: 2M, kernel: one, initrd: two}]",
		Files:  map[string]Source{"one": {Build: "k"}, "two": {Bytes: func() []byte { return []byte("RAM") }}},
	})
	require.NoError(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	b, err := bundle.Parse(data)
	require.NoError(t, err)
	one, _ := b.File("one")
	require.Equal(t, "KERNEL", string(one))

	_, err = lab.bundle(Stanza{Name: "b", Config: "x", Files: map[string]Source{"one": {Build: "absent"}}})
	require.ErrorIs(t, err, ErrAbsent)

	path, err = lab.bundle(Stanza{Name: "raw", Broken: []byte("junk")})
	require.NoError(t, err)
	data, err = os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "junk", string(data))

	path, err = lab.bundle(Stanza{Name: "none"})
	require.NoError(t, err)
	require.Empty(t, path)
}

func TestCommandLine(t *testing.T) {
	m := machine{Stanza: Stanza{SMP: 3, Memory: "2G", Append: "a b", Icount: true, Args: []string{"-S"}}.normal(1), kernel: "k", initrd: "i"}
	line := strings.Join(m.command(), " ")
	m.disc = "d.iso"
	require.Contains(t, strings.Join(m.command(), " "), "-no-reboot -cdrom d.iso -icount")
	m.disc = ""
	for _, part := range []string{"qemu-system-x86_64 -accel tcg", "-smp 3 -m 2G", "-kernel k -initrd i -append a b -icount shift=0,sleep=off -S", "thread=single", "-cpu EPYC,"} {
		require.Contains(t, line, part)
	}
}

// TestStanzasAreSound checks the table itself: unique names, expressions that
// compile, bundles that parse where they should.
func TestStanzasAreSound(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Stanzas() {
		require.Regexp(t, `^[a-z0-9-]+$`, s.Name)
		require.False(t, seen[s.Name], s.Name)
		seen[s.Name] = true
		require.NotEmpty(t, s.About, s.Name)
		require.NotEmpty(t, s.Script, s.Name)
		n := s.normal(1)
		_, err := n.compile()
		require.NoError(t, err, s.Name)
		if strings.HasPrefix(s.Name, "bundle-") || s.Config == "" {
			continue
		}
		read := func(name string) ([]byte, error) {
			if _, ok := s.Files[name]; !ok {
				return nil, os.ErrNotExist
			}
			return []byte("x"), nil
		}
		require.NoError(t, bundle.Make(&bytes.Buffer{}, []byte(n.Config), read), s.Name)
	}
}
