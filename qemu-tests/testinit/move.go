package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// process32 is a 32-bit program that counts on its standard output.
	process32 = "/process32"

	moveSteps = 12
	moveStep  = 50 * time.Millisecond
)

// rtcFile has the time of the real-time clock in seconds. Tests replace it.
var rtcFile = "/sys/class/rtc/rtc0/since_epoch"

// checkMove is for a guest that is carried to another machine meanwhile, which
// must not show: the clocks go on at their rate, and the 32-bit program too.
func checkMove() error {
	child, err := startCounter(process32)
	if err != nil {
		return err
	}
	defer child.stop()
	clocks, err := newClocks()
	if err != nil {
		return err
	}
	for step := 1; step <= moveSteps; step++ {
		time.Sleep(moveStep)
		if err := clocks.check(); err != nil {
			return err
		}
		count, err := child.advanced()
		if err != nil {
			return err
		}
		fmt.Printf("RINGO-STEP %d, 32-bit program at %d, %v since the start\n", step, count, clocks.last.Round(time.Millisecond))
	}
	return clocks.checkRate()
}

// counter is a program that writes 1, 2, 3 and so on, 4 bytes each.
type counter struct {
	cmd    *exec.Cmd
	latest atomic.Uint32
	failed atomic.Pointer[error]
	before uint32
}

func startCounter(path string) (*counter, error) {
	c := &counter{cmd: exec.Command(path)}
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	go c.follow(out)
	return c, nil
}

// follow reads the numbers until one is missing.
func (c *counter) follow(out io.Reader) {
	var b [4]byte
	for want := uint32(1); ; want++ {
		_, err := io.ReadFull(out, b[:])
		if got := binary.LittleEndian.Uint32(b[:]); err == nil && got != want {
			err = fmt.Errorf("%d came instead of %d", got, want)
		}
		if err != nil {
			err = fmt.Errorf("the 32-bit program: %w", err)
			c.failed.Store(&err)
			return
		}
		c.latest.Store(want)
	}
}

// advanced waits until the program has counted on, and gives its number.
func (c *counter) advanced() (uint32, error) {
	const patience = 20 * time.Second
	for start := time.Now(); time.Since(start) < patience; time.Sleep(5 * time.Millisecond) {
		if err := c.failed.Load(); err != nil {
			return 0, *err
		}
		if n := c.latest.Load(); n > c.before {
			c.before = n
			return n, nil
		}
	}
	return 0, fmt.Errorf("the 32-bit program stands still at %d", c.before)
}

func (c *counter) stop() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// clocks are the last readings of all clocks.
type clocks struct {
	start  time.Time     // with the monotonic clock
	last   time.Duration // since start, monotonic
	offset time.Duration // of the time of day to the monotonic clock
	rtc    int64
}

func newClocks() (*clocks, error) {
	c := &clocks{start: time.Now()}
	var err error
	c.rtc, err = readRTC()
	return c, err
}

// check reads the clocks: none may go back, and the time of day keeps its
// distance from the monotonic clock.
func (c *clocks) check() error {
	const tolerance = 50 * time.Millisecond
	now := time.Now()
	mono := now.Sub(c.start)
	offset := now.Round(0).Sub(c.start.Round(0)) - mono
	rtc, err := readRTC()
	switch {
	case err != nil:
		return err
	case mono < c.last+moveStep:
		return fmt.Errorf("the monotonic clock went from %v to %v in a step of %v", c.last, mono, moveStep)
	case (offset - c.offset).Abs() > tolerance:
		return fmt.Errorf("the time of day jumped by %v against the monotonic clock", offset-c.offset)
	case rtc < c.rtc:
		return fmt.Errorf("the real-time clock went back by %d s", c.rtc-rtc)
	}
	c.last, c.offset, c.rtc = mono, offset, rtc
	return nil
}

// checkRate compares the monotonic clock with a second of the real-time clock,
// which has an oscillator of its own. A busy host can make it longer.
func (c *clocks) checkRate() error {
	first, err := nextSecond()
	if err != nil {
		return err
	}
	last, err := nextSecond()
	if err != nil {
		return err
	}
	took := last.Sub(first)
	fmt.Printf("RINGO-RATE %v in a second of the real-time clock\n", took.Round(time.Millisecond))
	if took < 800*time.Millisecond || took > 2*time.Second {
		return fmt.Errorf("%v by the monotonic clock in a second of the real-time clock", took)
	}
	return nil
}

// nextSecond waits for the next second of the real-time clock.
func nextSecond() (time.Time, error) {
	before, err := readRTC()
	for now := before; err == nil && now == before; now, err = readRTC() {
		time.Sleep(20 * time.Millisecond)
	}
	return time.Now(), err
}

func readRTC() (int64, error) {
	text, err := os.ReadFile(rtcFile)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
