package main

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// bzImage is a kernel with two sectors of setup and 4 KiB of code.
func bzImage() []byte {
	k := bytes.Repeat([]byte{0x90}, 3*sectorSize+4096)
	k[setupSects] = 2
	binary.LittleEndian.PutUint32(k[headerMagic:], magicHdrS)
	return k
}

func TestStopwatch(t *testing.T) {
	kernel := bzImage()
	patched, err := stopwatch(kernel)
	require.NoError(t, err)
	require.Equal(t, bzImage(), kernel, "the original stays")
	require.Len(t, patched, len(kernel))
	code, err := stopwatchCode()
	require.NoError(t, err)
	require.Equal(t, []byte{0x0f, 0x31}, code[:2], "RDTSC comes first")
	const entry = 3 * sectorSize
	require.Equal(t, kernel[:entry], patched[:entry])
	require.Equal(t, code, patched[entry:entry+len(code)])
	require.Equal(t, kernel[entry+len(code):], patched[entry+len(code):])
}

func TestStopwatchTakesFourSectorsForNone(t *testing.T) {
	kernel := bzImage()
	kernel[setupSects] = 0
	patched, err := stopwatch(kernel)
	require.NoError(t, err)
	require.Equal(t, kernel[:5*sectorSize], patched[:5*sectorSize])
	require.Equal(t, []byte{0x0f, 0x31}, patched[5*sectorSize:][:2])
}

func TestStopwatchRefuses(t *testing.T) {
	kernel := bzImage()
	for name, bad := range map[string][]byte{
		"nothing": nil, "no header": kernel[:headerEnd-1], "no code": kernel[:3*sectorSize+8],
		"no magic": bytes.Repeat([]byte{0x90}, len(kernel)),
	} {
		_, err := stopwatch(bad)
		require.ErrorIs(t, err, ErrKernel, name)
	}
}
