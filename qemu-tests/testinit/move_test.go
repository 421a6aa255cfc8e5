package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// count writes numbers as the 32-bit program does.
func count(numbers ...uint32) io.Reader {
	var b bytes.Buffer
	for _, n := range numbers {
		_ = binary.Write(&b, binary.LittleEndian, n)
	}
	return &b
}

// TestCounter: the numbers come in order, and the end or a gap is an error.
func TestCounter(t *testing.T) {
	c := &counter{}
	c.follow(count(1, 2, 3))
	require.EqualValues(t, 3, c.latest.Load())
	require.ErrorContains(t, *c.failed.Load(), "EOF")
	_, err := c.advanced()
	require.Error(t, err)

	c = &counter{}
	c.latest.Store(7)
	n, err := c.advanced()
	require.NoError(t, err)
	require.EqualValues(t, 7, n)

	c = &counter{}
	c.follow(count(1, 3))
	require.ErrorContains(t, *c.failed.Load(), "3 came instead of 2")
	_, err = startCounter("/nowhere")
	require.Error(t, err)
}

// rtc puts a time into the file of the real-time clock.
func rtc(t *testing.T, seconds int) {
	t.Helper()
	require.NoError(t, os.WriteFile(rtcFile, fmt.Appendln(nil, seconds), 0o644))
}

// TestClocks: steps that are too short, a jump of the time of day and a
// real-time clock that goes back are found.
func TestClocks(t *testing.T) {
	old := rtcFile
	defer func() { rtcFile = old }()
	rtcFile = filepath.Join(t.TempDir(), "rtc")
	_, err := newClocks()
	require.Error(t, err, "no such clock")
	rtc(t, 100)
	c, err := newClocks()
	require.NoError(t, err)
	require.ErrorContains(t, c.check(), "in a step of")
	time.Sleep(moveStep)
	require.NoError(t, c.check())
	rtc(t, 90)
	time.Sleep(moveStep)
	require.ErrorContains(t, c.check(), "went back by 10 s")
	rtc(t, 100)
	c.offset += time.Second
	require.ErrorContains(t, c.check(), "jumped by -1")

	// A clock whose seconds are far too short.
	go func() {
		for i := 101; i < 140; i++ {
			_ = os.WriteFile(rtcFile+".new", fmt.Appendln(nil, i), 0o644)
			_ = os.Rename(rtcFile+".new", rtcFile)
			time.Sleep(50 * time.Millisecond)
		}
	}()
	require.ErrorContains(t, c.checkRate(), "by the monotonic clock in a second")
}
