package snapshot

import "errors"

var (
	// ErrSchema says that a state has a name or version that its reader does
	// not know.
	ErrSchema = errors.New("unknown schema or version")
	// ErrField says that a field is missing, out of order, of another type, or
	// holds a value that its reader refuses.
	ErrField = errors.New("bad field")
	// ErrTooLarge says that a length passes its bound.
	ErrTooLarge = errors.New("larger than allowed")
	// ErrCorrupt says that a stream is damaged: wrong magic number, checksum,
	// order of sections, or an end that came too soon.
	ErrCorrupt = errors.New("snapshot stream is damaged")
)
