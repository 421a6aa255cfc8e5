package vcpu

import (
	"math"
	"math/bits"
)

// This file is part of the fast path.

// TSCFraction is the number of fraction bits of VMArea.TSCRatio: the processors
// of both vendors can express such a ratio exactly.
const TSCFraction = 32

// maxTSCRatio bounds a ratio and its inverse; AMD's have 8 integer bits.
const maxTSCRatio = 1<<8 - 1

// TSCRatio is the VMArea.TSCRatio with which a guest's time stamp counter runs
// at guestHz on a host whose own runs at hostHz; 0 if they are further apart
// than processors scale.
func TSCRatio(guestHz, hostHz uint64) uint64 {
	if guestHz == 0 || hostHz == 0 || guestHz/hostHz >= maxTSCRatio || hostHz/guestHz >= maxTSCRatio {
		return 0
	}
	hi, lo := bits.Mul64(guestHz, 1<<TSCFraction)
	ratio, _ := bits.Div64(hi, lo, hostHz)
	return ratio
}

// ScaleTSC is how far the guests' time stamp counters have come when the host's
// has come to host, before their offsets.
func (v *VMArea) ScaleTSC(host uint64) uint64 {
	if v == nil || v.TSCRatio == 0 {
		return host
	}
	hi, lo := bits.Mul64(host, v.TSCRatio)
	return hi<<(64-TSCFraction) | lo>>TSCFraction
}

// HostTicks is the time in host TSC ticks in which a guest's counter advances by
// ticks, rounded up. It saturates.
func (v *VMArea) HostTicks(ticks uint64) uint64 {
	if v == nil || v.TSCRatio == 0 {
		return ticks
	}
	hi, lo := bits.Mul64(ticks, 1<<TSCFraction)
	if hi >= v.TSCRatio {
		return math.MaxUint64
	}
	host, rest := bits.Div64(hi, lo, v.TSCRatio)
	if rest != 0 && host != math.MaxUint64 {
		host++
	}
	return host
}

// GuestTSC is the vCPU's time stamp counter when the host's is host.
func (a *Area) GuestTSC(host uint64) uint64 { return a.VMArea().ScaleTSC(host) + a.TSCOffset }

// SetGuestTSC makes the vCPU's time stamp counter guest when the host's is host.
func (a *Area) SetGuestTSC(guest, host uint64) { a.TSCOffset = guest - a.VMArea().ScaleTSC(host) }
