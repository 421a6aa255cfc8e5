package nucleus

import (
	"math/bits"
	"syscall"

	"gvisor.dev/gvisor/pkg/abi/linux"

	"ringo/nucleus/reg"
)

// The clock is the TSC. Nanoseconds since boot are
// (TSC-tscBase)*tscMul>>32; the fake vDSO computes the same.
var (
	tscHz   uint64
	tscMul  uint64 // nanoseconds per tick, times 2^32
	tscBase uint64
	// ticksPerUs shortens the way from a timeout to a deadline.
	ticksPerUs uint64
	wallBase   uint64 // nanoseconds of the epoch at tscBase
)

func setTSCFrequency(hz uint64) {
	tscHz = hz
	tscMul, _ = bits.Div64(0, 1_000_000_000<<32, hz)
	ticksPerUs = hz / 1_000_000
}

// nanotime is nanoseconds since boot.
func nanotime() uint64 {
	hi, lo := bits.Mul64(reg.ReadTSC()-tscBase, tscMul)
	return hi<<32 | lo>>32
}

// ticksFor converts a duration to TSC ticks, without overflow for 100 years.
func ticksFor(ns uint64) uint64 {
	const century = 100 * 366 * 86400 * 1_000_000_000
	if ns > century {
		ns = century
	}
	hi, lo := bits.Mul64(ns, tscHz)
	if hi >= 1_000_000_000 {
		return 1 << 62
	}
	q, _ := bits.Div64(hi, lo, 1_000_000_000)
	return q
}

// after is the TSC value ns from now.
func after(ns uint64) uint64 { return reg.ReadTSC() + ticksFor(ns) }

// timespecNs reads a user's struct timespec; ok is false if it is not valid.
func timespecNs(p uintptr) (ns uint64, ok bool) {
	sec, nsec := load64(p), load64(p+8)
	if int64(sec) < 0 || nsec >= 1_000_000_000 {
		return 0, false
	}
	hi, lo := bits.Mul64(sec, 1_000_000_000)
	sum, carry := bits.Add64(lo, nsec, 0)
	if hi+carry != 0 {
		return 1<<64 - 1, true
	}
	return sum, true
}

func storeTimespec(p uintptr, ns uint64) {
	store64(p, ns/1_000_000_000)
	store64(p+8, ns%1_000_000_000)
}

func sysClockGettime(clock int32, p uintptr) uint64 {
	ns := nanotime()
	switch clock {
	case linux.CLOCK_REALTIME, linux.CLOCK_REALTIME_COARSE:
		ns += wallBase
	case linux.CLOCK_MONOTONIC, linux.CLOCK_MONOTONIC_RAW, linux.CLOCK_MONOTONIC_COARSE, linux.CLOCK_BOOTTIME:
	default:
		return errno(syscall.EINVAL)
	}
	storeTimespec(p, ns)
	return 0
}
