package snapshot

// Schema identifies the layout of one saved state.
type Schema struct {
	Name    string // "uart16550", "ioapic", "vcpu"
	Version uint32
}

// Snapshotter saves its state and takes it back. Restore gets the Schema that
// the state was saved with and refuses one that it does not know, leaving
// the receiver as it was.
type Snapshotter interface {
	Schema() Schema
	Save(*Encoder) error
	Restore(Schema, *Decoder) error
}
