package nucleus

import (
	"encoding/binary"
	"encoding/hex"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestQuarterRound is RFC 8439, section 2.1.1.
func TestQuarterRound(t *testing.T) {
	a, b, c, d := quarter(0x11111111, 0x01020304, 0x9b8d6f43, 0x01234567)
	require.Equal(t, [4]uint32{0xea2a92f4, 0xcb1cf8ce, 0x4581472e, 0x5881c4bb}, [4]uint32{a, b, c, d})
}

// TestChaChaBlock is RFC 8439, appendix A.1, but for vector 5: the generator
// has no nonce.
func TestChaChaBlock(t *testing.T) {
	for i, c := range []struct {
		key     [32]byte
		counter uint64
		want    string
	}{
		{[32]byte{}, 0, "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7" +
			"da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
		{[32]byte{}, 1, "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed" +
			"29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
		{[32]byte{31: 1}, 1, "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a" +
			"8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
		{[32]byte{1: 0xff}, 2, "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca" +
			"13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096"},
	} {
		var key [8]uint32
		for j := range key {
			key[j] = binary.LittleEndian.Uint32(c.key[4*j:])
		}
		var out [16]uint32
		chachaBlock(&key, c.counter, &out)
		got, err := binary.Append(nil, binary.LittleEndian, out)
		require.NoError(t, err)
		require.Equal(t, c.want, hex.EncodeToString(got), "vector %d", i+1)
	}
}

func TestChaChaCounterHas64Bits(t *testing.T) {
	var key [8]uint32
	var low, high [16]uint32
	chachaBlock(&key, 1, &low)
	chachaBlock(&key, 1|1<<32, &high)
	require.NotEqual(t, low, high)
}

// TestMixSeed: each word changes the whole key, and both its value and its
// place count.
func TestMixSeed(t *testing.T) {
	mixed := func(words ...uint64) [8]uint32 {
		rng.key, rng.mix = [8]uint32{}, 0
		for _, w := range words {
			mixSeed(w)
		}
		return rng.key
	}
	seen := map[[8]uint32]bool{{}: true}
	for _, words := range [][]uint64{{0}, {1}, {1 << 32}, {1 << 63}, {0, 0}, {0, 1}, {1, 0}, {0, 0, 0}} {
		key := mixed(words...)
		require.False(t, seen[key], "%v", words)
		seen[key] = true
	}
	a, b := mixed(1), mixed(2)
	for i := range a {
		require.NotEqual(t, a[i], b[i], "word %d", i)
	}
	require.Equal(t, mixed(5, 6), mixed(5, 6))
}

func TestRandomBytes(t *testing.T) {
	buf := mustMap(3*pageSize, pageSize)
	p := addressOf(buf)
	seen := map[uint64]bool{}
	for range 200 {
		key := rng.key
		randomBytes(p, 256)
		for i := range key {
			require.NotEqual(t, key[i], rng.key[i], "the key that made this is gone")
		}
		for i := range uintptr(32) {
			v := load64(p + 8*i)
			require.False(t, seen[v])
			seen[v] = true
		}
		// What is left behind does not make what was given.
		var out [16]uint32
		for counter := range uint64(3) {
			chachaBlock(&rng.key, counter, &out)
			require.NotEqual(t, load64(p), uint64(out[0])|uint64(out[1])<<32)
		}
	}
}

func TestRandomBytesOfAnyLength(t *testing.T) {
	buf := mustMap(pageSize, pageSize)
	p := addressOf(buf)
	for n := uintptr(0); n < 200; n++ {
		clear(buf)
		randomBytes(p+8, n)
		require.Zero(t, load64(p))
		require.Equal(t, make([]byte, 16), peek(p+8+n, 16), "%d bytes", n)
		if n >= 16 {
			require.NotZero(t, load64(p+n), "the last of %d bytes", n)
		}
	}
}

func TestGetrandom(t *testing.T) {
	buf := mustMap(1<<20+pageSize, pageSize)
	p := addressOf(buf)
	require.EqualValues(t, 16, sysGetrandom(p, 16))
	require.NotZero(t, load64(p))
	require.EqualValues(t, 1<<20, sysGetrandom(p, 1<<40), "part of it, as Linux does")
	require.Zero(t, load64(p+1<<20))
	for _, c := range []struct{ buf, n uint64 }{{0, 16}, {userLow - 1, 1}, {userTop, 1}, {userTop - 8, 9}, {directBase, 16}, {^uint64(0), 1 << 63}} {
		require.Equal(t, errno(syscall.EFAULT), sysGetrandom(uintptr(c.buf), c.n), "%#x", c.buf)
	}
}
