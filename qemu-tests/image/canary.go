package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// canaryLoop fills every general register but the stack pointer, and the
// vector registers (512 bytes from vectors: XMM or, with wide, YMM 0 to 15),
// with values, counts n down, and returns how many registers hold something
// else at the end.
func canaryLoop(values *[14]uint64, vectors *[64]uint64, n uint64, wide bool) uint64

// haveAVX says that AVX is there and switched on.
func haveAVX() bool

// testCanary runs the loop in many threads while other goroutines force
// preemption, signals and collections.
func testCanary(r *rand.Rand, rounds int) error {
	wide := haveAVX()
	var stop atomic.Bool
	var noise sync.WaitGroup
	for i := 0; i < 2; i++ {
		noise.Add(1)
		go func() {
			defer noise.Done()
			for !stop.Load() {
				runtime.GC()
				time.Sleep(200 * time.Microsecond)
			}
		}()
	}
	errs := make(chan error, 4*runtime.NumCPU())
	for i := 0; i < cap(errs); i++ {
		seed := r.Uint64()
		go func() { errs <- canaries(rand.New(rand.NewPCG(seed, 2)), rounds, wide) }()
	}
	var err error
	for i := 0; i < cap(errs); i++ {
		err = errors.Join(err, <-errs)
	}
	stop.Store(true)
	noise.Wait()
	return err
}

func canaries(r *rand.Rand, rounds int, wide bool) error {
	var values [14]uint64
	var vectors [64]uint64
	for i := 0; i < 20*rounds; i++ {
		for j := range values {
			values[j] = r.Uint64()
		}
		for j := range vectors {
			vectors[j] = r.Uint64()
		}
		if bad := canaryLoop(&values, &vectors, 1_000_000, wide); bad != 0 {
			return fmt.Errorf("%d registers changed under a loop (wide %v)", bad, wide)
		}
	}
	return nil
}
