package hv

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/memory"
	"ringo/snapshot"
)

// saved4K lists the pages in a snapshot's memory sections.
func saved4K(t *testing.T, stream io.Reader) map[memory.GPA]bool {
	t.Helper()
	r, err := snapshot.NewReader(stream)
	require.NoError(t, err)
	pages := map[memory.GPA]bool{}
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			return pages
		}
		require.NoError(t, err)
		if s.Schema != schemaMemory {
			continue
		}
		d := s.Decoder()
		g, p := memory.GPA(d.Uint64("gpa")), d.Bytes("content", int(memoryPiece))
		require.NoError(t, d.Done())
		for at := 0; at < len(p); at += len(zeroPage) {
			pages[g+memory.GPA(at)] = true
		}
	}
}

// TestZeroPagesAreLeftOut: a page that was touched but holds zeros is not in the
// stream, its neighbours are, and all read back as they were.
func TestZeroPagesAreLeftOut(t *testing.T) {
	const at, page = memory.GPA(0x400000), memory.GPA(0x1000)
	v := newTestVM(t, nil, forever)
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	for i, b := range []byte{1, 0, 0, 2, 3} {
		require.NoError(t, v.board.space.WriteAt([]byte{b}, at+page*memory.GPA(i)+0xFFF))
	}
	var stream bytes.Buffer
	require.NoError(t, v.Save(&stream, SaveOptions{Memory: true}))
	pages := saved4K(t, bytes.NewReader(stream.Bytes()))
	for i, want := range []bool{true, false, false, true, true, false} {
		require.Equal(t, want, pages[at+page*memory.GPA(i)], "page %d", i)
	}
	w := newTestVM(t, nil, forever)
	require.NoError(t, w.Restore(&stream))
	for i, want := range []byte{1, 0, 0, 2, 3} {
		var b [1]byte
		require.NoError(t, w.board.space.ReadAt(b[:], at+page*memory.GPA(i)+0xFFF))
		require.Equal(t, want, b[0])
	}
	v.close(t)
	w.close(t)
}
