package memory

// Addresses of different spaces are different types; a bare uint64 never
// crosses a package for an address.
type (
	GPA uint64  // guest-physical
	GVA uint64  // guest-virtual (linear)
	HPA uint64  // host-physical
	HVA uintptr // host-virtual: a pointer's value in this program
)

// PageSize is the size in bytes of one mapping.
type PageSize uint64

const (
	Page4K PageSize = 4 << 10
	Page2M PageSize = 2 << 20
	Page1G PageSize = 1 << 30
)
