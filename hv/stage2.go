package hv

import (
	"errors"
	"fmt"
	"time"

	"ringo/hv/vcpu"
	"ringo/memory"
)

// frameWait is how long a vCPU waits for a frame before it asks again.
const frameWait = time.Millisecond

// stage2 serves an access to guest-physical memory that stage 2 does not
// allow: RAM is made present and the guest tries again; what is not RAM is a
// device; a write to ROM has no effect.
func (c *cpu) stage2(e *vcpu.Exit) bool {
	if c.transfer(e) {
		return true
	}
	err := c.space.Fault(e.GPA, accessOf(e))
	switch {
	case err == nil:
		return true
	case err == memory.ErrNotRAM, err == memory.ErrReadOnly:
		return c.device(e)
	case errors.Is(err, memory.ErrNoFrames):
		return c.awaitFrames()
	}
	return c.crash(CauseHost, fmt.Sprintf("memory at %#x: %v", uint64(e.GPA), err))
}

// accessOf is the right that the faulting access needs.
func accessOf(e *vcpu.Exit) memory.Prot {
	switch {
	case e.Write:
		return memory.Read | memory.Write
	case e.Fetch:
		return memory.Read | memory.Exec
	}
	return memory.Read
}

// awaitFrames waits until the host may have memory again. The vCPU never
// fails for lack of it, and stays open to Pause and Stop meanwhile.
func (c *cpu) awaitFrames() bool {
	if c.board.starving.CompareAndSwap(false, true) {
		c.board.vm.host.Log("VM %s: waits for memory: no frame is free", c.board.vm.cfg.Name)
	}
	time.Sleep(frameWait)
	return c.board.gate.pass()
}
