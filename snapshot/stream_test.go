package snapshot_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/snapshot"
)

func stream(t require.TestingT, sections ...*snapshot.Section) []byte {
	var b bytes.Buffer
	w, err := snapshot.NewWriter(&b)
	require.NoError(t, err)
	for _, s := range sections {
		require.NoError(t, w.Section(s))
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func readAll(p []byte) (got []*snapshot.Section, err error) {
	r, err := snapshot.NewReader(bytes.NewReader(p))
	for err == nil {
		var s *snapshot.Section
		if s, err = r.Next(); err == nil {
			got = append(got, s)
		}
	}
	return got, err
}

func example() []*snapshot.Section {
	mem := snapshot.Schema{Name: "memory", Version: 1}
	return []*snapshot.Section{
		{Schema: schema, Instance: "one", Payload: []byte("first")},
		{Schema: schema, Instance: "two", Payload: []byte{}},
		{Schema: mem, Instance: "ram", Repeat: true, Payload: bytes.Repeat([]byte{7}, 5000)},
		{Schema: mem, Instance: "ram", Repeat: true, Payload: []byte{8}},
	}
}

func TestStreamRoundTrip(t *testing.T) {
	got, err := readAll(stream(t, example()...))
	require.Equal(t, io.EOF, err)
	require.Equal(t, example(), got)
}

func TestStreamDamageIsSeen(t *testing.T) {
	p := stream(t, example()[:2]...)
	for i := range p {
		_, err := readAll(p[:i])
		require.ErrorIs(t, err, snapshot.ErrCorrupt, "cut at %d", i)
		require.NotErrorIs(t, err, io.EOF)
		for bit := range 8 {
			q := bytes.Clone(p)
			q[i] ^= 1 << bit
			_, err := readAll(q)
			require.NotEqual(t, io.EOF, err, "bit %d of byte %d", bit, i)
		}
	}
}

func TestStreamSectionOnce(t *testing.T) {
	s := example()[0]
	w, err := snapshot.NewWriter(io.Discard)
	require.NoError(t, err)
	require.NoError(t, w.Section(s))
	require.ErrorIs(t, w.Section(s), snapshot.ErrCorrupt)

	p := stream(t, s)
	twice := append(bytes.Clone(p[:len(p)-13]), p[12:]...)
	_, err = readAll(twice)
	require.ErrorIs(t, err, snapshot.ErrCorrupt)
	require.ErrorContains(t, err, "twice")
}

func TestStreamHugeLengthAllocatesLittle(t *testing.T) {
	p := stream(t, &snapshot.Section{Schema: schema, Payload: []byte("x")})
	p[12+7], p[12+10] = 0xFF, 0x00 // a length of some bytes more, then the end
	allocated := testing.AllocsPerRun(1, func() {
		_, err := readAll(p[:40])
		require.ErrorIs(t, err, snapshot.ErrCorrupt)
	})
	require.Less(t, allocated, 100.0)
	p[12+10] = 0xFF
	_, err := readAll(p)
	require.ErrorIs(t, err, snapshot.ErrTooLarge)
}

func TestWriterLimits(t *testing.T) {
	w, err := snapshot.NewWriter(io.Discard)
	require.NoError(t, err)
	require.ErrorIs(t, w.Section(&snapshot.Section{}), snapshot.ErrTooLarge)
	require.ErrorIs(t, w.Section(&snapshot.Section{Schema: schema, Payload: make([]byte, snapshot.MaxPayload+1)}), snapshot.ErrTooLarge)
	require.NoError(t, w.Close())
	require.ErrorIs(t, w.Section(example()[0]), snapshot.ErrCorrupt)
}

type box struct {
	v    uint8
	fail error
}

func (b *box) Schema() snapshot.Schema { return schema }
func (b *box) Save(e *snapshot.Encoder) error {
	e.Uint8("v", b.v)
	return b.fail
}
func (b *box) Restore(s snapshot.Schema, d *snapshot.Decoder) error {
	if err := s.Require(schema); err != nil {
		return err
	}
	v := d.Uint8("v")
	if err := d.Done(); err != nil {
		return err
	}
	b.v = v
	return nil
}

func TestSaveRestore(t *testing.T) {
	var b bytes.Buffer
	w, err := snapshot.NewWriter(&b)
	require.NoError(t, err)
	require.NoError(t, w.Save("b0", &box{v: 42}))
	broken := errors.New("broken")
	err = w.Save("b1", &box{fail: broken})
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "b1")
	require.NoError(t, w.Close())

	got, err := readAll(b.Bytes())
	require.Equal(t, io.EOF, err)
	require.Len(t, got, 1)
	var to box
	require.NoError(t, got[0].Restore(&to))
	require.Equal(t, uint8(42), to.v)
	got[0].Version++
	require.ErrorIs(t, got[0].Restore(&to), snapshot.ErrSchema)
}

func FuzzReader(f *testing.F) {
	f.Add(stream(f, example()[:2]...))
	f.Add(stream(f))
	f.Fuzz(func(t *testing.T, p []byte) {
		got, err := readAll(p)
		require.Error(t, err)
		if err == io.EOF {
			require.Equal(t, p[:len(stream(t, got...))], stream(t, got...))
		}
	})
}
