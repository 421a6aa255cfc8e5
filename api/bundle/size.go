package bundle

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// sizeUnits are the suffixes of sizes: powers of 1024.
const sizeUnits = "KMGT"

// ParseSize reads a number of bytes: digits, then nothing, K, M, G or T
// (powers of 1024).
func ParseSize(s string) (uint64, error) {
	digits, shift := s, 0
	if n := len(s); n > 0 {
		if i := strings.IndexByte(sizeUnits, s[n-1]); i >= 0 {
			digits, shift = s[:n-1], 10*(i+1)
		}
	}
	v, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || bits.Len64(v)+shift > 64 || strings.HasPrefix(digits, "+") {
		return 0, fmt.Errorf("found %s, expected a size: digits with nothing, K, M, G or T after them, such as 256M", quote(s))
	}
	return v << shift, nil
}

// FormatSize gives a size as ParseSize reads it, with the largest unit that
// shows it exactly.
func FormatSize(v uint64) string {
	unit := ""
	for i := 0; i < len(sizeUnits) && v != 0 && v%1024 == 0; i++ {
		v, unit = v/1024, sizeUnits[i:i+1]
	}
	return strconv.FormatUint(v, 10) + unit
}
