package nucleus

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestCopyBytes wants whole quadwords and the rest, and nothing beyond.
func TestCopyBytes(t *testing.T) {
	src := make([]byte, 64)
	for i := range src {
		src[i] = byte(i + 1)
	}
	for n := 0; n < 40; n++ {
		dst := make([]byte, 64)
		copyBytes(uintptr(unsafe.Pointer(&dst[3])), uintptr(unsafe.Pointer(&src[5])), uintptr(n))
		want := make([]byte, 64)
		copy(want[3:], src[5:5+n])
		require.Equal(t, want, dst, "%d bytes", n)
	}
}
