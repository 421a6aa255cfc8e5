package nucleus

import "unsafe"

// Names of functions from the linker's table, for reports: the runtime's own
// look-up allocates where a call was inlined. The layout is the one that
// debug/gosym reads (magic fffffff1H, since Go 1.20); with another the report
// has addresses only.

// Offsets in the table's header.
const (
	pclntabMagic   = 0xfffffff1
	pclntabFuncs   = 8
	pclntabNames   = 32
	pclntabEntries = 64
)

// symbolTable is the address of runtime.pclntab, textStart that of
// runtime.text.
func symbolTable() uintptr
func textStart() uintptr

// functionAt names the function that contains an address, and gives its
// start. The name is empty if there is none.
func functionAt(pc uintptr) (name string, start uintptr) {
	t, text := symbolTable(), textStart()
	if load32(t) != pclntabMagic || pc < text {
		return "", 0
	}
	entries := t + uintptr(load64(t+pclntabEntries))
	lo, hi := uint64(0), load64(t+pclntabFuncs)
	off := uint64(pc - text)
	for lo < hi { // the first function that begins behind pc
		m := (lo + hi) / 2
		if uint64(load32(entries+uintptr(m)*8)) <= off {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == 0 || lo == load64(t+pclntabFuncs) {
		return "", 0
	}
	e := entries + uintptr(lo-1)*8
	f := entries + uintptr(load32(e+4))
	p := t + uintptr(load64(t+pclntabNames)) + uintptr(load32(f+4))
	n := 0
	for n < 200 && load8(p+uintptr(n)) != 0 {
		n++
	}
	return unsafe.String((*byte)(unsafe.Pointer(p)), n), text + uintptr(load32(e))
}
