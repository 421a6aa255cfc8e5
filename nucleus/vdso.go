package nucleus

import "unsafe"

// A fake vDSO: an ELF header, one loadable segment and a dynamic section that
// name a single symbol, __vdso_clock_gettime, for the Go runtime to find
// (vdso(7)). The function itself is ordinary text of the image.

type vdsoImage struct {
	ehdr    [64]byte
	phdr    [2][7]uint64
	dynamic [6][2]uint64
	symtab  [2]vdsoSymbol
	hash    [5]uint32
	strtab  [40]byte
	versym  [2]uint16
	verdef  [7]uint32
}

type vdsoSymbol struct {
	name        uint32
	info, other uint8
	shndx       uint16
	value, size uint64
}

var vdso vdsoImage

func vdsoAddr() uintptr { return uintptr(unsafe.Pointer(&vdso)) }

// vdsoClockGettime is called by the runtime with the C convention.
func vdsoClockGettime()

// vdsoEntry is the address of vdsoClockGettime's code.
func vdsoEntry() uintptr

// buildVDSO fills in the image.
func buildVDSO() {
	v := &vdso
	base := vdsoAddr()
	offset := func(p unsafe.Pointer) uint64 { return uint64(uintptr(p) - base) }
	store64(base+32, offset(unsafe.Pointer(&v.phdr))) // e_phoff
	store8(base+54, 56)                               // e_phentsize
	store8(base+56, 2)                                // e_phnum
	const ptLoad, ptDynamic, readExec = 1, 2, 5
	size := uint64(unsafe.Sizeof(*v))
	v.phdr[0] = [7]uint64{ptLoad | readExec<<32, 0, 0, 0, size, size, pageSize}
	dyn := offset(unsafe.Pointer(&v.dynamic))
	v.phdr[1] = [7]uint64{ptDynamic | readExec<<32, dyn, dyn, dyn, uint64(unsafe.Sizeof(v.dynamic)), uint64(unsafe.Sizeof(v.dynamic)), 8}
	const dtHash, dtStrtab, dtSymtab, dtVersym, dtVerdef = 4, 5, 6, 0x6ffffff0, 0x6ffffffc
	v.dynamic = [6][2]uint64{
		{dtHash, offset(unsafe.Pointer(&v.hash))},
		{dtStrtab, offset(unsafe.Pointer(&v.strtab))},
		{dtSymtab, offset(unsafe.Pointer(&v.symtab))},
		{dtVersym, offset(unsafe.Pointer(&v.versym))},
		{dtVerdef, offset(unsafe.Pointer(&v.verdef))},
	}
	v.hash = [5]uint32{1, 2, 1, 0, 0} // one bucket, whose chain is symbol 1
	const name, version = "__vdso_clock_gettime", "LINUX_2.6"
	const versionAt = 1 + len(name) + 1
	for i := 0; i < len(name); i++ {
		v.strtab[1+i] = name[i]
	}
	for i := 0; i < len(version); i++ {
		v.strtab[versionAt+i] = version[i]
	}
	// One version definition, number 2, with its ELF hash and one name.
	const versionHash = 0x3ae75f6
	v.versym[1] = 2
	v.verdef = [7]uint32{1, 2 | 1<<16, versionHash, 20, 0, uint32(versionAt), 0}
	const globalFunc = 0x12
	v.symtab[1] = vdsoSymbol{name: 1, info: globalFunc, shndx: 1, value: uint64(vdsoEntry() - base)}
}
