package snapshot_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/snapshot"
)

var schema = snapshot.Schema{Name: "thing", Version: 3}

func payload(t require.TestingT, f func(*snapshot.Encoder)) []byte {
	e := snapshot.NewEncoder(schema)
	f(e)
	p, err := e.Payload()
	require.NoError(t, err)
	return p
}

func TestFieldsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u8, u16 := rapid.Uint8().Draw(t, "u8"), rapid.Uint16().Draw(t, "u16")
		u32, u64 := rapid.Uint32().Draw(t, "u32"), rapid.Uint64().Draw(t, "u64")
		i64, b := rapid.Int64().Draw(t, "i64"), rapid.Bool().Draw(t, "b")
		raw := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "raw")
		words := rapid.SliceOfN(rapid.Uint32(), 0, 20).Draw(t, "words")
		longs := rapid.SliceOfN(rapid.Uint64(), 0, 20).Draw(t, "longs")
		save := func(e *snapshot.Encoder) {
			e.Uint8("u8", u8)
			e.Begin("group")
			e.Uint16("u16", u16)
			e.Uint32("u32", u32)
			e.End()
			e.Uint64("u64", u64)
			e.Int64("i64", i64)
			e.Bool("b", b)
			e.Bytes("raw", raw)
			e.String("text", string(raw))
			e.Uint32s("words", words)
			e.Uint64s("longs", longs)
		}
		p := payload(t, save)
		require.Equal(t, p, payload(t, save), "deterministic")
		d := snapshot.NewDecoder(schema, p)
		require.Equal(t, u8, d.Uint8("u8"))
		d.Begin("group")
		require.Equal(t, u16, d.Uint16("u16"))
		require.Equal(t, u32, d.Uint32("u32"))
		d.End()
		require.Equal(t, u64, d.Uint64("u64"))
		require.Equal(t, i64, d.Int64("i64"))
		require.Equal(t, b, d.Bool("b"))
		require.Equal(t, string(raw), string(d.Bytes("raw", 100)))
		require.Equal(t, string(raw), d.String("text", 100))
		gotWords, gotLongs := make([]uint32, len(words)), make([]uint64, len(longs))
		d.Uint32s("words", gotWords)
		d.Uint64s("longs", gotLongs)
		require.NoError(t, d.Done())
		require.Equal(t, append([]uint32{}, words...), gotWords)
		require.Equal(t, append([]uint64{}, longs...), gotLongs)
	})
}

func TestDecoderRefuses(t *testing.T) {
	one := func(f func(*snapshot.Encoder)) []byte { return payload(t, f) }
	cases := []struct {
		name    string
		payload []byte
		read    func(*snapshot.Decoder)
		err     error
		says    string
	}{
		{"another name", one(func(e *snapshot.Encoder) { e.Uint8("a", 1) }),
			func(d *snapshot.Decoder) { d.Uint8("b") }, snapshot.ErrField, `thing/3: field "b"`},
		{"another type", one(func(e *snapshot.Encoder) { e.Uint8("a", 1) }),
			func(d *snapshot.Decoder) { d.Uint16("a") }, snapshot.ErrField, "uint16"},
		{"missing", nil, func(d *snapshot.Decoder) { d.Bool("a") }, snapshot.ErrField, "missing"},
		{"left over", one(func(e *snapshot.Encoder) { e.Uint8("a", 1) }),
			func(*snapshot.Decoder) {}, snapshot.ErrField, `"a"`},
		{"too long", one(func(e *snapshot.Encoder) { e.Bytes("a", make([]byte, 9)) }),
			func(d *snapshot.Decoder) { d.Bytes("a", 8) }, snapshot.ErrTooLarge, "at most 8"},
		{"too few", one(func(e *snapshot.Encoder) { e.Uint32s("a", make([]uint32, 2)) }),
			func(d *snapshot.Decoder) { d.Uint32s("a", make([]uint32, 3)) }, snapshot.ErrField, "want 3"},
		{"too many", one(func(e *snapshot.Encoder) { e.Uint64s("a", make([]uint64, 4)) }),
			func(d *snapshot.Decoder) { d.Uint64s("a", make([]uint64, 3)) }, snapshot.ErrTooLarge, "at most 3"},
		{"not a bool", []byte{5, 1, 'a', 2},
			func(d *snapshot.Decoder) { d.Bool("a") }, snapshot.ErrField, "0 or 1"},
		{"count beyond the payload", []byte{7, 1, 'a', 0xFF, 0xFF, 0xFF, 0x7F, 0},
			func(d *snapshot.Decoder) { d.Uint32s("a", make([]uint32, 1<<20)) }, snapshot.ErrTooLarge, "elements"},
		{"list cut short", []byte{6, 1, 'a', 4, 0, 0, 0, 1},
			func(d *snapshot.Decoder) { d.Bytes("a", 4) }, snapshot.ErrField, "cut short"},
		{"group left open", one(func(e *snapshot.Encoder) { e.Begin("g"); e.End() }),
			func(d *snapshot.Decoder) { d.Begin("g") }, snapshot.ErrField, "not ended"},
		{"end without begin", nil, func(d *snapshot.Decoder) { d.End() }, snapshot.ErrField, "without Begin"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := snapshot.NewDecoder(schema, c.payload)
			c.read(d)
			require.ErrorIs(t, d.Done(), c.err)
			require.ErrorContains(t, d.Done(), c.says)
			require.Zero(t, d.Uint64("after an error"))
		})
	}
}

func TestEncoderRefuses(t *testing.T) {
	cases := map[string]func(*snapshot.Encoder){
		"no name":    func(e *snapshot.Encoder) { e.Uint8("", 1) },
		"long name":  func(e *snapshot.Encoder) { e.Uint8(string(make([]byte, 256)), 1) },
		"too large":  func(e *snapshot.Encoder) { e.Bytes("a", make([]byte, snapshot.MaxPayload+1)) },
		"open group": func(e *snapshot.Encoder) { e.Begin("g") },
		"no group":   func(e *snapshot.Encoder) { e.End() },
		"deep": func(e *snapshot.Encoder) {
			for range 20 {
				e.Begin("g")
			}
		},
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			e := snapshot.NewEncoder(schema)
			f(e)
			_, err := e.Payload()
			require.ErrorContains(t, err, "thing/3")
		})
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add(payload(f, func(e *snapshot.Encoder) {
		e.Begin("g")
		e.Bytes("a", []byte("abc"))
		e.Uint32s("b", []uint32{1})
		e.End()
	}))
	f.Add([]byte{4, 1, 'a', 0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, p []byte) {
		d := snapshot.NewDecoder(schema, p)
		d.Begin("g")
		a := d.Bytes("a", 16)
		var b [1]uint32
		d.Uint32s("b", b[:])
		d.End()
		if d.Done() != nil {
			return
		}
		again := payload(t, func(e *snapshot.Encoder) {
			e.Begin("g")
			e.Bytes("a", a)
			e.Uint32s("b", b[:])
			e.End()
		})
		require.Equal(t, p, again, "what decodes encodes to the same bytes")
	})
}
