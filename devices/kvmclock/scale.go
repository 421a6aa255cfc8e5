package kvmclock

import "math/bits"

const nanosPerSec = 1_000_000_000

// scale turns TSC ticks into nanoseconds as a guest does:
// ((ticks << shift) * mul) >> 32, where a negative shift goes to the right.
type scale struct {
	mul   uint32
	shift int8
}

// newScale is the most exact scale for a TSC of hz ticks a second: mul has its
// highest bit set.
func newScale(hz uint64) scale {
	num, den, shift := uint64(nanosPerSec), hz, int8(0)
	for num >= den { // fewer than one tick per ns
		den <<= 1
		shift++
	}
	for num<<1 < den {
		num <<= 1
		shift--
	}
	mul, _ := bits.Div64(num>>32, num<<32, den) // num < den
	return scale{mul: uint32(mul), shift: shift}
}

// nanos converts ticks as the guest does.
func (s scale) nanos(ticks uint64) uint64 {
	if s.shift < 0 {
		ticks >>= -s.shift
	} else {
		ticks <<= s.shift
	}
	hi, lo := bits.Mul64(ticks, uint64(s.mul))
	return hi<<32 | lo>>32
}
