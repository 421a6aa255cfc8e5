package bundle

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/u-root/u-root/pkg/cpio"
	"pgregory.net/rapid"
)

// ours is a minimal archive to damage.
func ours(t testing.TB, files ...File) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Write(&out, files))
	return out.Bytes()
}

func TestUrootReadsOurArchive(t *testing.T) {
	data := ours(t, File{"a", []byte("12345")}, File{"dir/b", nil}, File{"c", []byte{0}})
	records, err := cpio.ReadAllRecords(cpio.Newc.Reader(bytes.NewReader(data)))
	require.NoError(t, err)
	require.Len(t, records, 3)
	require.Equal(t, "dir/b", records[1].Name)
	content := make([]byte, 5)
	_, err = records[0].ReadAt(content, 0)
	require.NoError(t, err)
	require.Equal(t, "12345", string(content))
}

func TestWeReadUrootsArchive(t *testing.T) {
	var out bytes.Buffer
	w := cpio.Newc.Writer(&out)
	require.NoError(t, cpio.WriteRecords(w, []cpio.Record{
		cpio.Directory("boot", 0o755),
		cpio.StaticFile("boot/kernel", "KERNEL", 0o600),
		cpio.Symlink("link", "boot/kernel"),
		cpio.CharDev("tty", 0o600, 5, 0),
	}))
	require.NoError(t, cpio.WriteTrailer(w))
	out.Write(make([]byte, 300)) // cpio(1) fills up to its block size

	a, err := readArchive(out.Bytes())
	require.NoError(t, err)
	e, ok := a.lookup("boot/kernel")
	require.True(t, ok)
	require.Equal(t, "KERNEL", string(e.data))
	for name, want := range map[string]kind{"boot": kindDir, "link": kindSymlink, "tty": kindOther} {
		e, ok := a.lookup(name)
		require.True(t, ok, name)
		require.Equal(t, want, e.kind, name)
		require.NotEmpty(t, e.kind.String())
	}
}

func TestHardLinks(t *testing.T) {
	var out bytes.Buffer
	o := &recordWriter{w: bufio.NewWriter(&out)}
	record := func(name string, data []byte) {
		at := o.off
		o.record(7, name, modeFile|0o644, data)
		require.NoError(t, o.flush())
		copy(out.Bytes()[at+len(newcMagic)+8*newcNLink:], "00000002")
	}
	record("one", nil)
	record("two", []byte("same"))
	o.record(0, newcTrailer, 0, nil)
	require.NoError(t, o.flush())

	a, err := readArchive(out.Bytes())
	require.NoError(t, err)
	e, _ := a.lookup("one")
	require.Equal(t, "same", string(e.data))
}

func TestBrokenArchives(t *testing.T) {
	good := ours(t, File{"a", []byte("12345678")})
	patch := func(at int, with string) []byte {
		b := bytes.Clone(good)
		copy(b[at:], with)
		return b
	}
	field := func(i int) int { return len(newcMagic) + 8*i }
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "at byte 0: truncated"},
		{"gzip", []byte("\x1f\x8b\x08" + strings.Repeat("x", 200)), "not compressed"},
		{"old format", patch(0, "070707"), "found magic"},
		{"half a header", good[:60], "truncated in a header: 60 bytes are left"},
		{"half a magic", good[:3], "truncated in a header"},
		{"no name", good[:newcHeader+1], "truncated in a file's name"},
		{"no contents", good[:newcHeader+6], `truncated: file "a" has 8 bytes`},
		{"no trailer", good[:newcHeader+2+8], "truncated: it ends without the record"},
		{"not hexadecimal", patch(field(newcFileSize), "0000zz00"), `header field 6 is "0000zz00"`},
		{"signed", patch(field(newcFileSize), "+0000008"), "header field 6"},
		{"huge file", patch(field(newcFileSize), "FFFFFFFF"), "has 4294967295 bytes"},
		{"huge name", patch(field(newcNameSize), "FFFFFFFF"), "a name of 4294967295 bytes"},
		{"empty name", patch(field(newcNameSize), "00000000"), "a name of 0 bytes"},
		{"name without NUL", patch(newcHeader, "ab"), "does not end in its one NUL"},
		{"second archive", append(bytes.Clone(good), good...), "data after the end"},
		{"file twice", double(good), `file "a" is there twice`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.data)
			require.ErrorIs(t, err, ErrArchive)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// double puts an archive's first record in twice.
func double(data []byte) []byte {
	_, _, next, err := readRecord(data, 0)
	if err != nil {
		panic(err)
	}
	return append(bytes.Clone(data[:next]), data...)
}

func TestTooManyFiles(t *testing.T) {
	files := make([]File, maxEntries+1)
	for i := range files {
		files[i].Name = fmt.Sprintf("f%d", i)
	}
	_, err := Parse(ours(t, files...))
	require.ErrorIs(t, err, ErrArchive)
	require.ErrorContains(t, err, "more than 4096 files")
}

func TestNoConfig(t *testing.T) {
	_, err := Parse(ours(t, File{"vmlinuz", []byte("x")}))
	require.ErrorIs(t, err, ErrNoConfig)

	var out bytes.Buffer
	w := cpio.Newc.Writer(&out)
	require.NoError(t, w.WriteRecord(cpio.Directory(ConfigName, 0o755)))
	require.NoError(t, cpio.WriteTrailer(w))
	_, err = Parse(out.Bytes())
	require.ErrorIs(t, err, ErrNoConfig)
	require.ErrorContains(t, err, "a directory of that name")
}

func TestWriteRefuses(t *testing.T) {
	for _, name := range []string{"", "/", "..", newcTrailer, "a\x00b", strings.Repeat("n", maxName)} {
		require.ErrorIs(t, Write(&bytes.Buffer{}, []File{{Name: name}}), ErrArchive, name)
	}
	require.ErrorIs(t, Write(&bytes.Buffer{}, []File{{Name: "a"}, {Name: "./a"}}), ErrArchive)
}

func TestMake(t *testing.T) {
	read := func(name string) ([]byte, error) {
		if strings.HasPrefix(name, "no") {
			return nil, fmt.Errorf("cannot open %s", name)
		}
		return []byte("contents of " + name), nil
	}
	var out bytes.Buffer
	config := "vms:\n- {name: a, memory: 2M, kernel: k, initrd: i}\n- {name: b, memory: 2M, kernel: ./k}\n"
	require.NoError(t, Make(&out, []byte(config), read))
	b, err := Parse(out.Bytes())
	require.NoError(t, err)
	require.Len(t, b.Files(), 3)
	k, _ := b.File("./k")
	require.Equal(t, "contents of k", string(k))

	out.Reset()
	err = Make(&out, []byte("vms:\n- name: a\n  memory: 2M\n  kernel: nope\n  initrd: none\n"), read)
	require.ErrorIs(t, err, ErrNoFile)
	require.EqualError(t, err, "ringo.yaml:4: vms[0].kernel: no such file in the bundle: cannot open nope\n"+
		"ringo.yaml:5: vms[0].initrd: no such file in the bundle: cannot open none")
	require.Zero(t, out.Len(), "nothing is written after a problem")
	require.ErrorIs(t, Make(&out, []byte("x: y"), read), ErrUnknownKey)
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		contents := rapid.MapOf(rapid.StringMatching(`[a-z]{1,8}(/[a-z]{1,8})?`), rapid.SliceOf(rapid.Byte())).Draw(t, "files")
		var files []File
		for name, data := range contents {
			files = append(files, File{name, data})
		}
		var out bytes.Buffer
		require.NoError(t, Write(&out, files))
		a, err := readArchive(out.Bytes())
		require.NoError(t, err)
		require.Len(t, a.entries, len(contents))
		for name, data := range contents {
			e, ok := a.lookup(name)
			require.True(t, ok)
			require.True(t, bytes.Equal(data, e.data))
		}
		// Every truncation is noticed.
		_, err = readArchive(out.Bytes()[:rapid.IntRange(0, out.Len()-1).Draw(t, "cut")])
		require.ErrorIs(t, err, ErrArchive)
	})
}
