package hv

import (
	"context"
	"fmt"
	"sync"
)

// mode is what the owner of a VM wants from its vCPUs.
type mode uint8

const (
	modeRun mode = iota
	modePause
	modeQuit
)

// gate is where the vCPU goroutines of a VM meet its owner. A vCPU passes it
// only after a kick, so that the run loop does not pay for it.
type gate struct {
	mu     sync.Mutex
	cond   sync.Cond
	mode   mode
	live   int // vCPU goroutines that exist
	parked int // of these, those that wait in pass
}

func newGate() *gate {
	g := &gate{}
	g.cond.L = &g.mu
	return g
}

// enter counts one more vCPU goroutine.
func (g *gate) enter() {
	g.mu.Lock()
	g.live++
	g.mu.Unlock()
}

// leave is the last thing that a vCPU goroutine does.
func (g *gate) leave() {
	g.mu.Lock()
	g.live--
	g.mu.Unlock()
	g.cond.Broadcast()
}

// pass blocks while the VM is to be paused; it says whether to go on.
func (g *gate) pass() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mode != modePause {
		return g.mode == modeRun
	}
	g.parked++
	g.cond.Broadcast()
	for g.mode == modePause {
		g.cond.Wait()
	}
	g.parked--
	return g.mode == modeRun
}

// set changes the mode. A mode of quit stays until open.
func (g *gate) set(m mode) {
	g.mu.Lock()
	if g.mode != modeQuit {
		g.mode = m
	}
	g.mu.Unlock()
	g.cond.Broadcast()
}

// quitting says that the vCPUs have been told to leave for good.
func (g *gate) quitting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mode == modeQuit
}

// open makes the gate as new; no vCPU goroutine exists.
func (g *gate) open(m mode) {
	g.mu.Lock()
	g.mode = m
	g.mu.Unlock()
}

// atRest waits until every vCPU goroutine is parked or gone.
func (g *gate) atRest(ctx context.Context) error {
	// The lock keeps the wake-up from falling between the check and Wait.
	stop := context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.cond.Broadcast()
	})
	defer stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for !g.resting() {
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %d of %d vCPUs still run", ErrTimeout, g.live-g.parked, g.live)
		}
		g.cond.Wait()
	}
	return nil
}

// resting is true when nobody runs: in mode quit that means nobody is left.
func (g *gate) resting() bool {
	if g.mode == modeQuit {
		return g.live == 0
	}
	return g.live == g.parked
}
