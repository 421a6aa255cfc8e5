package nucleus

import (
	"math/bits"
	"syscall"
	"unsafe"

	"ringo/nucleus/reg"
)

// The random source: ChaCha20 (RFC 8439) as a generator with fast key erasure:
// each request takes one block, whose first half is the next key. Seeds are
// mixed into the key by running the cipher over them.

var rng struct {
	lock spinlock
	key  [8]uint32
	mix  uint32 // words mixed in so far
}

func quarter(a, b, c, d uint32) (uint32, uint32, uint32, uint32) {
	a += b
	d = bits.RotateLeft32(d^a, 16)
	c += d
	b = bits.RotateLeft32(b^c, 12)
	a += b
	d = bits.RotateLeft32(d^a, 8)
	c += d
	b = bits.RotateLeft32(b^c, 7)
	return a, b, c, d
}

// chachaBlock computes the block of a key and a counter.
func chachaBlock(key *[8]uint32, counter uint64, out *[16]uint32) {
	s := [16]uint32{
		0x61707865, 0x3320646e, 0x79622d32, 0x6b206574,
		key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7],
		uint32(counter), uint32(counter >> 32), 0, 0,
	}
	x := s
	for i := 0; i < 10; i++ {
		x[0], x[4], x[8], x[12] = quarter(x[0], x[4], x[8], x[12])
		x[1], x[5], x[9], x[13] = quarter(x[1], x[5], x[9], x[13])
		x[2], x[6], x[10], x[14] = quarter(x[2], x[6], x[10], x[14])
		x[3], x[7], x[11], x[15] = quarter(x[3], x[7], x[11], x[15])
		x[0], x[5], x[10], x[15] = quarter(x[0], x[5], x[10], x[15])
		x[1], x[6], x[11], x[12] = quarter(x[1], x[6], x[11], x[12])
		x[2], x[7], x[8], x[13] = quarter(x[2], x[7], x[8], x[13])
		x[3], x[4], x[9], x[14] = quarter(x[3], x[4], x[9], x[14])
	}
	for i := range x {
		out[i] = x[i] + s[i]
	}
}

// mixSeed stirs a word into the key. The lock is held, or only one CPU runs.
func mixSeed(v uint64) {
	rng.key[rng.mix&7] ^= uint32(v)
	rng.key[(rng.mix+1)&7] ^= uint32(v >> 32)
	rng.mix++
	var out [16]uint32
	chachaBlock(&rng.key, uint64(rng.mix)|1<<63, &out)
	for i := range rng.key {
		rng.key[i] = out[i]
	}
}

// seedRandom gathers what differs from boot to boot and from machine to
// machine: the processor's own generators where it has them, the time of day,
// the jitter of a device against the TSC, and what the firmware left behind.
// No single one is trusted.
func seedRandom() {
	_, _, ecx, _ := reg.CPUID(1, 0)
	maxLeaf, _, _, _ := reg.CPUID(0, 0)
	var ebx uint32
	if maxLeaf >= 7 {
		_, ebx, _, _ = reg.CPUID(7, 0)
	}
	for i := 0; i < 32; i++ {
		if ecx&(1<<30) != 0 {
			if v, ok := reg.RDRAND(); ok {
				mixSeed(v)
			}
		}
		if ebx&(1<<18) != 0 {
			if v, ok := reg.RDSEED(); ok {
				mixSeed(v)
			}
		}
	}
	mixSeed(entryTSC)
	mixSeed(wallBase)
	mixSeed(tscHz)
	for i := 0; i < bootInfo.nRanges; i++ {
		mixSeed(uint64(bootInfo.ranges[i].from) ^ uint64(bootInfo.ranges[i].to)<<7)
	}
	for i := 0; i < 512; i++ {
		reg.In8(0x61)
		mixSeed(reg.ReadTSC())
	}
	for p := uintptr(0); p < 1024; p += 8 { // BIOS data area and vectors
		mixSeed(load64(physPtr(0) + p))
	}
}

// randomBytes fills n bytes at p.
func randomBytes(p, n uintptr) {
	var key [8]uint32
	var out [16]uint32
	rng.lock.lock()
	rng.key[7] ^= uint32(reg.ReadTSC())
	chachaBlock(&rng.key, 0, &out)
	for i := range key {
		rng.key[i], key[i] = out[i], out[i+8]
	}
	rng.lock.unlock()
	for counter := uint64(1); n > 0; counter++ {
		chachaBlock(&key, counter, &out)
		m := min(n, unsafe.Sizeof(out))
		copyBytes(p, uintptr(unsafe.Pointer(&out)), m)
		p += m
		n -= m
	}
	for i := range out {
		out[i] = 0
	}
	for i := range key {
		key[i] = 0
	}
}

func sysGetrandom(buf uintptr, n uint64) uint64 {
	if n > 1<<20 {
		n = 1 << 20
	}
	if buf < userLow || buf >= userTop || uint64(userTop-buf) < n {
		return errno(syscall.EFAULT)
	}
	randomBytes(buf, uintptr(n))
	return n
}
