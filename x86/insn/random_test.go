package insn

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRandomCode runs random bytes in random states: whatever they are, Step
// comes back with a status or a known error, and quickly.
func TestRandomCode(t *testing.T) {
	const rounds = 20000
	r := rand.New(rand.NewPCG(1, 2))
	m := &testMachine{device: 0x1122334455667788}
	var e Emulator
	emulated := 0
	for range rounds {
		s := fuzzState(m, byte(r.Uint32()), r.Uint64(), r.Uint64())
		for i := range 32 {
			m.ram[codeAt+i] = byte(r.Uint32())
		}
		m.log = m.log[:0]
		before := s.RIP
		res, err := e.Step(m, s, nil)
		require.True(t, err == nil || known(err), "%v", err)
		if err == nil && res.Status == StatusDone {
			require.Equal(t, uint64(e.Inst().Len), s.RIP-before)
			emulated++
		}
	}
	require.Greater(t, emulated, rounds/20)
}

func TestRandomDecode(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var buf [20]byte
	for range 200000 {
		for i := range buf {
			buf[i] = byte(r.Uint32())
		}
		mode := [3]Mode{Mode16, Mode32, Mode64}[r.IntN(3)]
		in, err := Decode(buf[:], mode)
		n, lengthErr := Length(buf[:], mode)
		if err == nil {
			require.NoError(t, lengthErr)
			require.Equal(t, n, int(in.Len))
		}
		if lengthErr == nil {
			requirePrefixFree(t, buf[:n], mode)
		}
	}
}
