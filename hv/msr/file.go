package msr

// Result is what an access came to.
type Result uint8

const (
	OK      Result = iota
	IsLive         // the owner has to serve it
	Fault          // the register exists but refuses this: #GP
	Unknown        // no such register: #GP, and worth a line in the log
)

// File holds the Stored registers of one vCPU.
type File struct {
	physBits uint8
	values   []uint64 // by index in Registers
}

// NewFile makes a register file as after reset, for a guest whose physical
// addresses have that many bits.
func NewFile(physBits uint8) *File {
	f := &File{physBits: physBits, values: make([]uint64, len(Registers))}
	f.Reset()
	return f
}

// Reset gives every register its reset value.
func (f *File) Reset() {
	for i := range Registers {
		f.values[i] = f.limit(i, Registers[i].Reset)
	}
}

// isPhys tells whether a register holds an address of the guest's width.
func isPhys(i int) bool {
	return Registers[i].Mask&physAddrMask == physAddrMask && Registers[i].Mask>>52 == 0
}

// limit cuts an address to the guest's width.
func (f *File) limit(i int, v uint64) uint64 {
	if isPhys(i) {
		return v & (1<<f.physBits - 1)
	}
	return v
}

// Read gives the value of a register.
func (f *File) Read(number uint32) (uint64, Result) {
	i := Find(number)
	if i < 0 {
		return 0, Unknown
	}
	switch r := &Registers[i]; r.Class {
	case Live:
		return 0, IsLive
	case Stored:
		return f.values[i], OK
	default:
		return r.Reset, OK
	}
}

// Write gives a register a value.
func (f *File) Write(number uint32, v uint64) Result {
	i := Find(number)
	if i < 0 {
		return Unknown
	}
	r := &Registers[i]
	switch r.Class {
	case Live:
		return IsLive
	case Constant:
		return Fault
	case Ignored:
		return OK
	}
	if v&^r.Mask != 0 || f.limit(i, v) != v || r.check != nil && !r.check(v) {
		return Fault
	}
	f.values[i] = v
	return OK
}

// Value is a register's number and content, for saving.
type Value struct {
	Number uint32
	Value  uint64
}

// Values lists the Stored registers in the order of their numbers.
func (f *File) Values() []Value {
	var vs []Value
	for i := range Registers {
		if Registers[i].Class == Stored {
			vs = append(vs, Value{Registers[i].Number, f.values[i]})
		}
	}
	return vs
}
