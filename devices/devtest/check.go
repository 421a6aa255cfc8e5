package devtest

import (
	"bytes"
	"errors"

	"ringo/devices"
	"ringo/snapshot"
)

// T is what the checks need of a testing.T.
type T interface {
	Helper()
	Fatalf(format string, args ...any)
}

// State is the saved state of d.
func State(t T, d snapshot.Snapshotter) []byte {
	t.Helper()
	e := snapshot.NewEncoder(d.Schema())
	if err := d.Save(e); err != nil {
		t.Fatalf("save %s: %v", d.Schema(), err)
	}
	p, err := e.Payload()
	if err != nil {
		t.Fatalf("save %s: %v", d.Schema(), err)
	}
	return p
}

// RoundTrip saves from, restores the state into to, and checks that to then
// saves the same. It also checks that Restore refuses an unknown version, a
// state that is cut short anywhere and one with something behind it, and that
// to is as before each time.
func RoundTrip(t T, from, to snapshot.Snapshotter) {
	t.Helper()
	want := State(t, from)
	before := State(t, to)
	s := from.Schema()
	newer := snapshot.Schema{Name: s.Name, Version: s.Version + 1000}
	if err := to.Restore(newer, snapshot.NewDecoder(newer, want)); !errors.Is(err, snapshot.ErrSchema) {
		t.Fatalf("restore of unknown version %s: error %v", newer, err)
	}
	damaged := [][]byte{append(bytes.Clone(want), want...), append(bytes.Clone(want), 0)}
	for n := range want {
		damaged = append(damaged, want[:n])
	}
	for _, p := range damaged {
		if len(want) == 0 && len(p) == 0 {
			continue // two empty states are an empty state
		}
		if err := to.Restore(s, snapshot.NewDecoder(s, p)); !errors.Is(err, snapshot.ErrField) {
			t.Fatalf("restore of %d bytes of a state of %d: error %v", len(p), len(want), err)
		}
	}
	if got := State(t, to); !bytes.Equal(got, before) {
		t.Fatalf("a refused restore changed the state of %s", s)
	}
	if err := to.Restore(s, snapshot.NewDecoder(s, want)); err != nil {
		t.Fatalf("restore: %v", err)
	}
	if got := State(t, to); !bytes.Equal(got, want) {
		t.Fatalf("state of %s after restore differs:\n%x\n%x", s, got, want)
	}
}

// Region is a Handler and the size of its region in bytes.
type Region struct {
	Handler devices.Handler
	Size    uint64
}

// Hammer makes accesses of all widths to the regions as data says, three bytes
// and a value for each, and calls tick with a number in between. It gives
// fuzz targets something to do with their input.
func Hammer(data []byte, regions []Region, tick func(n uint8)) {
	for len(data) >= 4 {
		op, where := data[0], data[1:3]
		data = data[3:]
		if op&0xC0 == 0xC0 {
			tick(where[0])
			continue
		}
		r := regions[int(op>>2&15)%len(regions)]
		n := min(uint64(1)<<(op&3), r.Size)
		off := (uint64(where[0]) | uint64(where[1])<<8) % (r.Size - n + 1)
		var p [8]byte
		if op&0x80 == 0 {
			r.Handler.Read(off, p[:n])
			continue
		}
		data = data[copy(p[:n], data):]
		r.Handler.Write(off, p[:n])
	}
}
