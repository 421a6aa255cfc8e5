package main

import (
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// testClock wants the clock never to run backwards, within a thread or between
// CPUs.
func testClock(_ *rand.Rand, rounds int) error {
	var mu sync.Mutex
	last := time.Now()
	var wg sync.WaitGroup
	var err error
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := 0; j < 5000*rounds; j++ {
				mu.Lock()
				now := time.Now()
				if now.Before(last) {
					err = fmt.Errorf("the clock went back by %v", last.Sub(now))
				}
				last = now
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	if y := last.Year(); err == nil && (y < 2024 || y > 2100) {
		return fmt.Errorf("the year is %d", y)
	}
	return err
}

// testRandom wants no two equal blocks, and all bits to occur.
func testRandom(_ *rand.Rand, rounds int) error {
	seen := map[[16]byte]bool{}
	var ones [128]int
	const blocks = 2000
	for i := 0; i < blocks*rounds; i++ {
		var b [16]byte
		if _, err := crand.Read(b[:]); err != nil {
			return err
		}
		if seen[b] {
			return fmt.Errorf("the random source gave a block twice")
		}
		seen[b] = true
		for j := range ones {
			ones[j] += int(b[j/8] >> (j % 8) & 1)
		}
	}
	for j, n := range ones {
		if f := float64(n) / float64(blocks*rounds); f < 0.4 || f > 0.6 {
			return fmt.Errorf("bit %d is one in %.0f %% of the blocks", j, 100*f)
		}
	}
	return nil
}
