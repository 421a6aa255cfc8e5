package nucleus

import (
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// vdsoReader finds a symbol as the Go runtime does (runtime/vdso_linux.go):
// it reads only the parts that the runtime reads, so that an image without the
// magic number and section headers, which debug/elf wants, will do. The
// structures are those of debug/elf.
type vdsoReader struct {
	t                      *testing.T
	offset                 uintptr // load address - recorded address
	strings, symbols, hash uintptr
	versions, definitions  uintptr
}

func openVDSO(t *testing.T, at uintptr) *vdsoReader {
	r := &vdsoReader{t: t}
	h := decode[elf.Header64](t, at)
	require.EqualValues(t, binary.Size(elf.Prog64{}), h.Phentsize)
	var dynamic uintptr
	for i := range uintptr(h.Phnum) {
		p := decode[elf.Prog64](t, at+uintptr(h.Phoff)+i*uintptr(h.Phentsize))
		switch elf.ProgType(p.Type) {
		case elf.PT_LOAD:
			r.offset = at + uintptr(p.Off-p.Vaddr)
			require.GreaterOrEqual(t, p.Memsz, p.Filesz)
		case elf.PT_DYNAMIC:
			dynamic = at + uintptr(p.Off)
		}
	}
	require.NotZero(t, dynamic)
	tables := map[elf.DynTag]*uintptr{
		elf.DT_STRTAB: &r.strings, elf.DT_SYMTAB: &r.symbols, elf.DT_HASH: &r.hash,
		elf.DT_VERSYM: &r.versions, elf.DT_VERDEF: &r.definitions,
	}
	for ; ; dynamic += uintptr(binary.Size(elf.Dyn64{})) {
		d := decode[elf.Dyn64](t, dynamic)
		if elf.DynTag(d.Tag) == elf.DT_NULL {
			break
		}
		*tables[elf.DynTag(d.Tag)] = r.offset + uintptr(d.Val)
	}
	for tag, p := range tables {
		require.NotZero(t, *p, "%v", tag)
	}
	return r
}

// verdef and verdaux are Elf64_Verdef and Elf64_Verdaux.
type verdef struct {
	Version, Flags, Index, Count uint16
	Hash, Aux, Next              uint32
}

type verdaux struct{ Name, Next uint32 }

// version gives the index of a version, or -1.
func (r *vdsoReader) version(name string) int {
	for at := r.definitions; ; {
		d := decode[verdef](r.t, at)
		const base = 1
		aux := decode[verdaux](r.t, at+uintptr(d.Aux))
		if d.Flags&base == 0 && d.Hash == elfHash(name) && cString(r.strings+uintptr(aux.Name)) == name {
			return int(d.Index & 0x7fff)
		}
		if d.Next == 0 {
			return -1
		}
		at += uintptr(d.Next)
	}
}

// symbol gives the address of a function of a version, or 0.
func (r *vdsoReader) symbol(name string, version int) uintptr {
	buckets := load32(r.hash)
	chains := r.hash + 8 + uintptr(buckets)*4
	for i := load32(r.hash + 8 + uintptr(elfHash(name)%buckets)*4); i != 0; i = load32(chains + uintptr(i)*4) {
		require.Less(r.t, i, load32(r.hash+4), "the chain leaves the table")
		s := decode[elf.Sym64](r.t, r.symbols+uintptr(i)*elf.Sym64Size)
		if elf.ST_TYPE(s.Info) != elf.STT_FUNC || elf.ST_BIND(s.Info) != elf.STB_GLOBAL || elf.SectionIndex(s.Shndx) == elf.SHN_UNDEF {
			continue
		}
		if cString(r.strings+uintptr(s.Name)) != name || int(load32(r.versions+uintptr(i)*2)&0x7fff) != version {
			continue
		}
		return r.offset + uintptr(s.Value)
	}
	return 0
}

// elfHash is the hash function of the ELF specification ("Hash Table").
func elfHash(name string) (h uint32) {
	for _, c := range []byte(name) {
		h = h<<4 + uint32(c)
		h = (h ^ h>>24&0xf0) & 0x0fffffff
	}
	return h
}

func TestVDSO(t *testing.T) {
	buildVDSO()
	r := openVDSO(t, vdsoAddr())
	v := r.version("LINUX_2.6")
	require.Positive(t, v)
	require.Equal(t, -1, r.version("LINUX_2.7"))
	require.Equal(t, vdsoEntry(), r.symbol("__vdso_clock_gettime", v))
	require.Zero(t, r.symbol("__vdso_clock_gettime", v+1))
	require.Zero(t, r.symbol("__vdso_getcpu", v))
}

// TestVDSOClock calls the code by the C convention and compares it with the
// system call.
func TestVDSOClock(t *testing.T) {
	call := codeAt[func(clock int32, timespec, entry uintptr) int32](t,
		0x89, 0xc7, // MOV EDI, EAX
		0x48, 0x89, 0xde, // MOV RSI, RBX
		0xff, 0xe1) // JMP RCX
	p := addressOf(mustMap(pageSize, pageSize))
	for _, hz := range []uint64{1_000_000_000, 2_400_000_000, 3_999_999_999} {
		setClock(hz)
		tscBase -= 1 << 50
		wallBase = 1_900_000_000_123_456_789
		for clock := range int32(3) {
			low := nanotime()
			require.Zero(t, call(clock, p, vdsoEntry()))
			ns, ok := timespecNs(p)
			require.True(t, ok)
			if clock == 0 {
				ns -= wallBase
			}
			require.True(t, low <= ns && ns <= nanotime(), "clock %d", clock)
		}
	}
}
