package memory_test

import (
	"testing"

	"ringo/memory"
)

func BenchmarkLoad64(b *testing.B) {
	m := newMachine(b, 16*mib, 0, ram(0, 8*mib))
	_ = m.Populate(0, 8*mib)
	for b.Loop() {
		_, _ = m.Load64(4 * mib)
	}
}

// BenchmarkFaultMMIO is what each access to a device costs before it is known
// to be one.
func BenchmarkFaultMMIO(b *testing.B) {
	m := newMachine(b, 16*mib, 0, ram(0, 8*mib), ram(4*gib, 8*mib))
	for b.Loop() {
		_ = m.Fault(0xfee00000, memory.Write)
	}
}

// BenchmarkFault4K is a page's first touch, with the frame given back.
func BenchmarkFault4K(b *testing.B) {
	m := newMachine(b, 2*mib, 0, ram(0, 2*mib))
	for b.Loop() {
		_ = m.Fault(mib, memory.Write)
		b.StopTimer()
		_ = m.Discard(mib, 4096)
		b.StartTimer()
	}
}

func BenchmarkWriteAt(b *testing.B) {
	m := newMachine(b, 16*mib, 0, ram(0, 8*mib))
	data := make([]byte, 64)
	for b.Loop() {
		_ = m.WriteAt(data, mib)
	}
}
