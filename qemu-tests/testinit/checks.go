package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// check is one thing that the guest can test from inside.
type check struct {
	name  string
	about string
	run   func() error
}

// checks lists all of them; the name goes on the kernel's command line.
var checks = []check{
	{"timer", "sleeping takes the time asked for", checkTimer},
	{"clock", "the clock never goes back, on all CPUs at once", checkClock},
	{"cpus", "every CPU computes the same thing", checkCPUs},
	{"churn", "garbage collection with goroutines on all CPUs", checkChurn},
	{"memory", "half of the free memory keeps what is written to it", checkMemory},
	{"interrupts", "the timer interrupts every CPU", checkInterrupts},
	{"move", "clocks and a 32-bit program go on while the guest is moved", checkMove},
	{"input", "a line from the console arrives whole", checkInput},
}

// runCheck runs a check by its name.
func runCheck(name string) error {
	for _, c := range checks {
		if c.name == name {
			return c.run()
		}
	}
	return fmt.Errorf("there is no such check")
}

// checkTimer sleeps for a few lengths. It allows lateness, since an emulated
// machine may be busy, but no early wake-up.
func checkTimer() error {
	for _, d := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 300 * time.Millisecond} {
		start := time.Now()
		time.Sleep(d)
		if took := time.Since(start); took < d || took > d+5*time.Second {
			return fmt.Errorf("sleep of %v took %v", d, took)
		}
	}
	return nil
}

// checkClock reads the clock on all CPUs. Each reading is taken under a lock,
// so it must not be earlier than the one before it, whichever CPU took that.
func checkClock() error {
	var mu sync.Mutex
	last := time.Now()
	return onEachCPU(func(int) error {
		for range 20000 {
			mu.Lock()
			now := time.Now()
			back := last.Sub(now)
			last = now
			mu.Unlock()
			if back > 0 {
				return fmt.Errorf("the clock went back by %v", back)
			}
		}
		return nil
	})
}

// checkCPUs hashes the same data on every CPU; a register that is lost in an
// exit or an interrupt changes the result.
func checkCPUs() error {
	want := hashChain()
	return onEachCPU(func(cpu int) error {
		for range 20 {
			if got := hashChain(); got != want {
				return fmt.Errorf("CPU %d computed %x, expected %x", cpu, got[:4], want[:4])
			}
		}
		return nil
	})
}

func hashChain() [32]byte {
	sum := sha256.Sum256([]byte("ringo"))
	for range 2000 {
		sum = sha256.Sum256(sum[:])
	}
	return sum
}

// checkChurn allocates linked data on all CPUs while the collector runs, and
// verifies that nothing that is still held has changed.
func checkChurn() error {
	type node struct {
		next  *node
		value uint64
		fill  [40]byte
	}
	return onEachCPU(func(cpu int) error {
		var head *node
		for i := range uint64(50000) {
			head = &node{next: head, value: i}
			if i%10000 == 9999 {
				runtime.GC()
			}
		}
		want := uint64(49999)
		for n := head; n != nil; n = n.next {
			if n.value != want || n.fill != [40]byte{} {
				return fmt.Errorf("CPU %d: node %d holds %d", cpu, want, n.value)
			}
			want--
		}
		return nil
	})
}

// checkMemory fills half of what is free with values made from their
// addresses and reads it back.
func checkMemory() error {
	const page = 4096
	kib, err := meminfo("MemAvailable:")
	if err != nil {
		return err
	}
	buf := make([]byte, kib/2*1024/page*page)
	for off := 0; off < len(buf); off += page {
		binary.LittleEndian.PutUint64(buf[off:], ^uint64(off))
	}
	for off := 0; off < len(buf); off += page {
		if got := binary.LittleEndian.Uint64(buf[off:]); got != ^uint64(off) {
			return fmt.Errorf("byte %d of %d holds %#x", off, len(buf), got)
		}
	}
	return nil
}

// meminfo reads a value in KiB from /proc/meminfo.
func meminfo(key string) (int, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == key {
			return strconv.Atoi(f[1])
		}
	}
	return 0, fmt.Errorf("/proc/meminfo has no %s", key)
}

// checkInterrupts keeps every CPU busy until each has had ten more of its local
// timer's interrupts, which takes a moment, or a long time has passed.
func checkInterrupts() error {
	before, err := timerInterrupts()
	if err != nil {
		return err
	}
	var enough atomic.Bool
	return onEachCPU(func(cpu int) error {
		if cpu != 0 {
			for !enough.Load() {
			}
			return nil
		}
		defer enough.Store(true)
		return waitInterrupts(before, time.Now().Add(30*time.Second))
	})
}

// waitInterrupts polls until each CPU's count has grown by ten.
func waitInterrupts(before []uint64, limit time.Time) error {
	for {
		now, err := timerInterrupts()
		if err != nil || grown(before, now, 10) {
			return err
		}
		if time.Now().After(limit) {
			return fmt.Errorf("timer interrupts of each CPU: %v, half a minute later %v", before, now)
		}
	}
}

// grown says whether every count has grown by n.
func grown(before, after []uint64, n uint64) bool {
	for i := range before {
		if i >= len(after) || after[i] < before[i]+n {
			return false
		}
	}
	return true
}

// timerInterrupts gives the count of local timer interrupts of each CPU.
func timerInterrupts() ([]uint64, error) {
	text, err := os.ReadFile("/proc/interrupts")
	if err != nil {
		return nil, err
	}
	return parseInterrupts(string(text))
}

// parseInterrupts reads the line LOC of /proc/interrupts.
func parseInterrupts(text string) ([]uint64, error) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "LOC:" {
			continue
		}
		var counts []uint64
		for _, word := range f[1:] {
			n, err := strconv.ParseUint(word, 10, 64)
			if err != nil {
				break // the description begins
			}
			counts = append(counts, n)
		}
		return counts, nil
	}
	return nil, fmt.Errorf("/proc/interrupts has no line LOC")
}

// checkInput asks for a line and says what came, for the script on the other
// side to compare.
func checkInput() error {
	fmt.Println("RINGO-INPUT?")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return err
	}
	fmt.Printf("RINGO-INPUT %q\n", strings.TrimSpace(line))
	return nil
}

// onEachCPU runs f on all CPUs at once, each on a thread bound to its CPU.
func onEachCPU(f func(cpu int) error) error {
	errs := make(chan error)
	n := runtime.NumCPU()
	for cpu := range n {
		go func() {
			runtime.LockOSThread() // and end the thread with the goroutine
			if err := bind(cpu); err != nil {
				errs <- err
				return
			}
			errs <- f(cpu)
		}()
	}
	var first error
	for range n {
		if err := <-errs; first == nil {
			first = err
		}
	}
	return first
}
