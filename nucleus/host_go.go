package nucleus

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"ringo/memory"
	"ringo/nucleus/reg"
)

// What ordinary Go code may ask of the nucleus.

// Kick is Wake for Go code.
func (g *Guest) Kick() {
	syscall.RawSyscall(callGuestKick, uintptr(unsafe.Pointer(g)), 0, 0)
}

var eachCPU sync.Mutex

// OnEachCPU runs f on every CPU, in the nucleus and by its rules, and returns
// when all have run it.
func OnEachCPU(f func()) {
	eachCPU.Lock()
	defer eachCPU.Unlock()
	callFn = f
	syscall.RawSyscall(callEachCPU, 0, 0, 0)
}

// TSC reads the host's time stamp counter.
func TSC() uint64 { return reg.ReadTSC() }

// TSCFrequency is the host's TSC frequency in Hz.
func TSCFrequency() uint64 { return tscHz }

// CPUNumber is the number of the calling CPU; nucleus code only.
func CPUNumber() uint32 { return thisCPU().number }

// VendorCPU is the backend's own words of the calling CPU; nucleus code only.
func VendorCPU() *[32]uint64 { return &thisCPU().Vendor }

// VendorOf is the backend's own words of any CPU.
func VendorOf(cpu uint32) *[32]uint64 { return &cpus[cpu].Vendor }

// HostXCR0 is the XCR0 under which the host's threads run, 0 without XSAVE.
func HostXCR0() uint64 { return hostXCR0 }

// Frames gives host memory outside the Go heap.
func Frames() memory.PageAllocator { return frames{} }

type frames struct{}

func (frames) Alloc(s memory.PageSize) (memory.HPA, error) {
	return AllocContiguous(uint64(s))
}

func (frames) Free(p memory.HPA, s memory.PageSize) { FreeContiguous(p, uint64(s)) }

func (frames) Pointer(p memory.HPA) unsafe.Pointer { return unsafe.Pointer(physPtr(p)) }

// AllocContiguous gives n bytes of zeroed host memory in one piece, rounded up
// to a power of two and aligned to it.
func AllocContiguous(n uint64) (memory.HPA, error) {
	order := orderFor(n)
	if n == 0 || order > maxOrder {
		return 0, fmt.Errorf("%d bytes in one piece, at most 1 GiB: %w", n, memory.ErrNoFrames)
	}
	p, _, _ := syscall.RawSyscall(callAllocBlock, uintptr(order), 0, 0)
	if p == 0 {
		return 0, fmt.Errorf("%d bytes in one piece, %d bytes free in all: %w", n, frameFree.Load()*pageSize, memory.ErrNoFrames)
	}
	clear(unsafe.Slice((*byte)(unsafe.Pointer(physPtr(phys(p)))), pageSize<<order))
	return memory.HPA(p), nil
}

// FreeContiguous gives back what AllocContiguous gave for the same n.
func FreeContiguous(p memory.HPA, n uint64) {
	syscall.RawSyscall(callFreeBlock, uintptr(p), uintptr(orderFor(n)), 0)
}

// MapMMIO gives an uncached mapping of n bytes of device registers.
func MapMMIO(p memory.HPA, n uintptr) (unsafe.Pointer, error) {
	v, _, _ := syscall.RawSyscall(callMapMMIO, uintptr(p), n, 0)
	if v == 0 {
		return nil, fmt.Errorf("map device registers at %#x: %w", uint64(p), memory.ErrNoFrames)
	}
	return unsafe.Pointer(v), nil
}

// PowerOff switches the machine off. Reboot restarts it.
func PowerOff() { syscall.RawSyscall(callPowerOff, 0, 0, 0) }
func Reboot()   { syscall.RawSyscall(callReboot, 0, 0, 0) }

// Bundle is the file that the loader put beside the image (the initrd).
func Bundle() []byte {
	r := &bootInfo.initrd
	if r.to <= r.from {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(physPtr(r.from))), int(r.to-r.from))
}

// MemoryInfo is what the host has, in bytes.
type MemoryInfo struct {
	Total, Free uint64 // frames, guests' included
	Heap        uint64 // pages of the Go program touched so far
}

// Memory tells how much memory the host has.
func Memory() MemoryInfo {
	return MemoryInfo{frameTotal.Load() * pageSize, frameFree.Load() * pageSize, uint64(spaceRSS.Load()) * pageSize}
}

// SinceEntry is the time in TSC ticks since the image's first instruction.
func SinceEntry() uint64 { return reg.ReadTSC() - entryTSC }

// CPUStats is what one CPU did since it started; times are TSC ticks.
type CPUStats struct {
	Idle, Host, Guest                            uint64
	Syscalls, Interrupts, Faults, Switches, NMIs uint64
}

// StatsOf gives the counters of a CPU, which goes on counting.
func StatsOf(cpu int) CPUStats {
	s := &cpus[cpu].stats
	idle := s.IdleTicks
	if since := s.IdleSince; since != 0 {
		idle += reg.ReadTSC() - since // the present rest counts too
	}
	guest := s.GuestTicks
	if c := &cpus[cpu]; atomic.LoadUintptr(&c.guest) != 0 && c.quick == 0 {
		guest += reg.ReadTSC() - c.guestStart // and the present turn
	}
	return CPUStats{
		Idle: idle, Host: s.HostTicks, Guest: guest,
		Syscalls: s.Syscalls, Interrupts: s.Interrupts, Faults: s.Faults, Switches: s.Switches, NMIs: s.NMIs,
	}
}

// RebootOnPanic says whether the machine restarts after a fatal failure; if
// not, it halts. The option panic= of the command line sets it at boot.
func RebootOnPanic(on bool) { options.rebootOnPanic = options.rebootOnPanic || on }
