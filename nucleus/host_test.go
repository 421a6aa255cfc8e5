package nucleus

import (
	"bytes"
	"encoding/binary"
	"os"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// What the tests put in the place of the machine. They run as a program of
// Linux, without privilege: nothing here may reach a port, a control register,
// or GS, which holds no CPU record. So the paths that end in an IPI, a TLB
// flush or a switch of threads are left to the tests in the emulator.

// ramSize is the machine's physical memory. The kernel backs only what is
// touched.
const ramSize = 4 << 30

var machine struct {
	ram     []byte // from physical address 0
	bytes   []byte // the frame table
	threads []byte // Thread records
}

// testThreads is how many Thread records the machine has room for.
const testThreads = 1024

func TestMain(m *testing.M) {
	machine.ram = mustMap(ramSize, 2<<20)
	machine.bytes = mustMap(ramSize>>pageShift, pageSize)
	machine.threads = mustMap(testThreads*int(threadStride), pageSize)
	directOff = addressOf(machine.ram)
	frameByte = addressOf(machine.bytes)
	threadBase = addressOf(machine.threads)
	os.Exit(m.Run())
}

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// mustMap gives n bytes of zeroed memory outside the Go heap.
func mustMap(n, align int) []byte {
	b, err := syscall.Mmap(-1, 0, n+align, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
	if err != nil {
		panic(err)
	}
	skip := -int(addressOf(b)) & (align - 1)
	return b[skip : skip+n : skip+n]
}

func mustClear(b []byte) {
	if err := syscall.Madvise(b, syscall.MADV_DONTNEED); err != nil {
		panic(err)
	}
}

// resetFrames makes RAM zero and takes every frame from the allocator.
func resetFrames() {
	mustClear(machine.ram)
	mustClear(machine.bytes)
	freeHead = [maxOrder + 1]phys{}
	frameTop = ramSize
	frameTotal.Store(0)
	frameFree.Store(0)
}

// resetTables gives the allocator [1 GiB, 1 GiB + 64 MiB) and the program an
// empty address space.
func resetTables() {
	resetFrames()
	addFrames(1<<30, 1<<30+64<<20)
	rootTable = allocFrame()
	nRegions = 0
}

// resetThreads makes every Thread record new.
func resetThreads() {
	resetTables()
	mustClear(machine.threads)
	threadFreeL, threadTop = 0, 0
	threadLive.Store(0)
}

// mustThread takes a Thread record.
func mustThread(t require.TestingT) *Thread {
	id := newThread()
	require.NotZero(t, id)
	return threadAt(id)
}

// resetBoot forgets what the loader left behind.
func resetBoot() { clearBytes(uintptr(unsafe.Pointer(&bootInfo)), unsafe.Sizeof(bootInfo)) }

// setCommandLine is the loader's command line.
func setCommandLine(s string) {
	resetBoot()
	bootInfo.nCmdline = copy(bootInfo.cmdline[:], s)
}

// atRAM is RAM from physical address p.
func atRAM(p phys) []byte { return machine.ram[p:] }

// put writes a structure without padding to RAM.
func put(t require.TestingT, p phys, v any) {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	require.NoError(t, err)
	copy(atRAM(p), b)
}

// guarded copies b to where reading one byte more is a fault.
func guarded(t testing.TB, b []byte) uintptr {
	pages := (len(b) + pageSize - 1) &^ (pageSize - 1)
	m, err := syscall.Mmap(-1, 0, pages+pageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(m)) })
	require.NoError(t, syscall.Mprotect(m[pages:], syscall.PROT_NONE))
	copy(m[pages-len(b):], b)
	return addressOf(m) + uintptr(pages-len(b))
}

// peek copies n bytes at an address.
func peek(p, n uintptr) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = load8(p + uintptr(i))
	}
	return b
}

// cString reads a string up to its zero.
func cString(p uintptr) string {
	n := uintptr(0)
	for load8(p+n) != 0 {
		n++
	}
	return string(peek(p, n))
}

// decode reads a structure without padding from memory.
func decode[T any](t require.TestingT, p uintptr) (v T) {
	r := bytes.NewReader(peek(p, uintptr(binary.Size(v))))
	require.NoError(t, binary.Read(r, binary.LittleEndian, &v))
	return v
}

// codeAt makes a Go function of machine code, which keeps to the register
// convention and uses no stack but for what it pushes.
func codeAt[F any](t testing.TB, code ...byte) F {
	m, err := syscall.Mmap(-1, 0, pageSize, syscall.PROT_READ|syscall.PROT_WRITE|syscall.PROT_EXEC, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(m)) })
	copy(m, code)
	entry := new(uintptr)
	*entry = addressOf(m)
	return *(*F)(unsafe.Pointer(&entry))
}
