package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ringo/nucleus"
)

// node is part of a linked structure that the collector must trace.
type node struct {
	next *node
	data []byte
	sum  uint32
}

// testGC keeps linked, checksummed structures alive in several goroutines
// while garbage is made, and checks them after every collection.
func testGC(r *rand.Rand, rounds int) error {
	workers := 2 * runtime.NumCPU()
	errs := make(chan error, workers)
	for w := 0; w < workers; w++ {
		seed := r.Uint64()
		go func() { errs <- churn(rand.New(rand.NewPCG(seed, 1)), rounds) }()
	}
	var err error
	for w := 0; w < workers; w++ {
		err = errors.Join(err, <-errs)
	}
	runtime.GC()
	return err
}

func churn(r *rand.Rand, rounds int) error {
	m := map[int]*node{}
	for i := 0; i < 4000*rounds; i++ {
		n := &node{data: make([]byte, 1+r.IntN(4000))}
		for j := 0; j < len(n.data); j += 97 {
			n.data[j] = byte(r.Uint32())
		}
		n.sum = crc32.ChecksumIEEE(n.data)
		k := r.IntN(500)
		if old := m[k]; old != nil && r.IntN(4) != 0 {
			n.next = old
			if old.next != nil {
				old.next.next = nil
			}
		}
		m[k] = n
		if i%500 == 0 {
			runtime.Gosched()
			if err := checkNodes(m); err != nil {
				return err
			}
		}
		if i%2000 == 1999 {
			runtime.GC()
		}
	}
	return checkNodes(m)
}

func checkNodes(m map[int]*node) error {
	for k, n := range m {
		for ; n != nil; n = n.next {
			if s := crc32.ChecksumIEEE(n.data); s != n.sum {
				return fmt.Errorf("node %d: checksum %#x, want %#x: heap memory changed", k, s, n.sum)
			}
		}
	}
	return nil
}

// testPreempt spins in goroutines that make no call, and wants collections and
// other goroutines to go on.
func testPreempt(_ *rand.Rand, rounds int) error {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for i := 0; i < runtime.NumCPU()+2; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for x := 0; !stop.Load(); x++ {
			}
		}()
	}
	worst := time.Duration(0)
	for i := 0; i < 5*rounds; i++ {
		start := time.Now()
		runtime.GC()
		time.Sleep(time.Millisecond)
		worst = max(worst, time.Since(start))
	}
	stop.Store(true)
	wg.Wait()
	if worst > 5*time.Second {
		return fmt.Errorf("a collection beside spinning goroutines took %v", worst)
	}
	return nil
}

// testSyscalls keeps every CPU busy with short system calls in a row and wants
// timers to come all the same: an interrupt that is pending when a call returns
// must be taken then.
func testSyscalls(_ *rand.Rand, rounds int) error {
	for i := 0; i < 20*rounds; i++ {
		var came atomic.Bool
		start := time.Now()
		time.AfterFunc(time.Millisecond, func() { came.Store(true) })
		var wg sync.WaitGroup
		for n := 0; n < runtime.NumCPU(); n++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for !came.Load() && time.Since(start) < 20*time.Second {
					for j := 0; j < 1000; j++ {
						_, _, _ = syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
					}
				}
			}()
		}
		wg.Wait()
		if !came.Load() {
			return fmt.Errorf("a timer of 1 ms did not come within %v", time.Since(start))
		}
	}
	return nil
}

// testFutex passes tokens through mutexes, conditions and channels.
func testFutex(_ *rand.Rand, rounds int) error {
	const rings, hops = 8, 2000
	var mu sync.Mutex
	total := 0
	var wg sync.WaitGroup
	for i := 0; i < rings; i++ {
		a, b := make(chan int), make(chan int)
		wg.Add(2)
		go func() {
			defer wg.Done()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for v := range a {
				b <- v + 1
			}
			close(b)
		}()
		go func() {
			defer wg.Done()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			v := 0
			for i := 0; i < hops*rounds; i++ {
				a <- v
				v = <-b
			}
			close(a)
			mu.Lock()
			total += v
			mu.Unlock()
		}()
	}
	wg.Wait()
	if want := rings * hops * rounds; total != want {
		return fmt.Errorf("tokens arrived %d times, want %d", total, want)
	}
	return nil
}

// testTimer sleeps in many goroutines and wants nobody to wake early.
func testTimer(r *rand.Rand, rounds int) error {
	errs := make(chan error, 300)
	for i := 0; i < cap(errs); i++ {
		d := time.Duration(r.IntN(60*rounds)) * time.Millisecond
		go func() {
			start := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), d)
			defer cancel()
			<-ctx.Done()
			if took := time.Since(start); took < d || took > d+5*time.Second {
				errs <- fmt.Errorf("a timer of %v came after %v", d, took)
				return
			}
			errs <- nil
		}()
	}
	var err error
	for i := 0; i < cap(errs); i++ {
		err = errors.Join(err, <-errs)
	}
	return err
}

// testClone makes and ends threads: a goroutine that ends while locked takes
// its thread with it.
func testClone(_ *rand.Rand, rounds int) error {
	for round := 0; round < 4*rounds; round++ {
		var wg sync.WaitGroup
		var n atomic.Int32
		for i := 0; i < 50; i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				runtime.LockOSThread()
				n.Add(1)
				time.Sleep(time.Millisecond)
			}()
		}
		wg.Wait()
		if n.Load() != 50 {
			return fmt.Errorf("%d of 50 threads ran", n.Load())
		}
	}
	return nil
}

// testFaults turns processor exceptions into Go panics and recovers.
func testFaults(_ *rand.Rand, rounds int) error {
	for i := 0; i < 100*rounds; i++ {
		if err := recovered("nil pointer", func() { var p *node; p.sum = 1 }); err != nil {
			return err
		}
		zero := 0
		if err := recovered("divide", func() { _ = 1 / zero }); err != nil {
			return err
		}
		var a []int
		if err := recovered("index", func() { a[i] = 1 }); err != nil {
			return err
		}
	}
	return nil
}

func recovered(what string, f func()) (err error) {
	defer func() {
		if v := recover(); v == nil {
			err = fmt.Errorf("%s: no panic", what)
		} else if _, ok := v.(runtime.Error); !ok {
			err = fmt.Errorf("%s: panic with %v, want a runtime.Error", what, v)
		}
	}()
	f()
	return nil
}

// testStack grows and shrinks goroutine stacks.
func testStack(_ *rand.Rand, rounds int) error {
	var wg sync.WaitGroup
	bad := atomic.Int32{}
	for i := 0; i < 20*rounds; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if deep(5000) != 5000 {
				bad.Add(1)
			}
		}()
	}
	wg.Wait()
	if bad.Load() != 0 {
		return fmt.Errorf("%d deep recursions gave a wrong result", bad.Load())
	}
	return nil
}

//go:noinline
func deep(n int) int {
	var pad [16]int
	if n == 0 {
		return pad[0]
	}
	pad[n&15] = n
	return deep(n-1) + pad[n&15] - n + 1
}

// testMemory wants memory back in the nucleus after it was freed.
func testMemory(_ *rand.Rand, rounds int) error {
	debug.FreeOSMemory()
	before := nucleus.Memory().Free
	for i := 0; i < rounds; i++ {
		b := make([]byte, 128<<20)
		for j := 0; j < len(b); j += 4096 {
			if b[j] != 0 {
				return fmt.Errorf("new memory is not zero at %d", j)
			}
			b[j] = 1
		}
		if now := nucleus.Memory().Free; before-now < 120<<20 {
			return fmt.Errorf("128 MiB are in use but only %d MiB are missing", (before-now)>>20)
		}
		runtime.KeepAlive(b)
		b = nil
		debug.FreeOSMemory()
		if now := nucleus.Memory().Free; now+16<<20 < before {
			return fmt.Errorf("%d MiB did not come back", (before-now)>>20)
		}
	}
	return nil
}
