package kvmclock

import (
	"sync"
	"time"

	"ringo/devices"
	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// Config says what the clock is made from.
type Config struct {
	Clock  devices.Clock
	Memory memory.Guest
	TSC    func() uint64 // reads the host's TSC
	Hz     uint64        // the guest's TSC frequency, not 0
	// Areas are the vCPUs, by number; they say what the guest's TSC is.
	Areas []*vcpu.Area
}

// Clock is the paravirtual clock of one VM.
type Clock struct {
	devices.Passive
	cfg   Config
	scale scale

	mu       sync.Mutex
	systems  []system // by vCPU
	wall     uint64   // MSR_KVM_WALL_CLOCK
	wallVer  uint32
	bias     int64 // ns added to Clock.Now, so that a restored clock goes on
	baseTSC  uint64
	baseTime int64
}

// system is one vCPU's MSR_KVM_SYSTEM_TIME.
type system struct {
	msr     uint64
	version uint32
}

// enable is bit 0 of MSR_KVM_SYSTEM_TIME; the rest is the address.
const enable = 1

// New makes a clock that no vCPU uses yet.
func New(cfg Config) *Clock {
	c := &Clock{cfg: cfg, scale: newScale(cfg.Hz)}
	c.Reset()
	return c
}

// Name is "kvmclock".
func (c *Clock) Name() string { return "kvmclock" }

// Reset turns it off for all vCPUs.
func (c *Clock) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.systems = make([]system, len(c.cfg.Areas))
	c.wall = 0
	c.sample()
}

// SetTSCHz says that the guest's TSC has another frequency than New was told.
// What vCPUs read already is written again by Resume.
func (c *Clock) SetTSCHz(hz uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scale = newScale(hz)
}

// sample draws the line anew through this moment.
func (c *Clock) sample() {
	c.baseTSC = c.cfg.TSC()
	c.baseTime = int64(c.cfg.Clock.Now()) + c.bias
}

// Resume goes on where the VM was paused, and tells the guest that it was, so
// that its watchdogs do not bark.
func (c *Clock) Resume() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sample()
	for i := range c.systems {
		if err := c.publish(i, flagStable|flagStopped); err != nil {
			return err
		}
	}
	return nil
}

// Update writes the structure of a vCPU again, after its TSCOffset changed.
func (c *Clock) Update(cpu uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.publish(int(cpu), flagStable)
}

// IsMSR says whether the clock serves that MSR.
func IsMSR(msr uint32) bool {
	switch msr {
	case x86.MSRKVMWallClock, x86.MSRKVMSystemTime, x86.MSRKVMWallClockNew, x86.MSRKVMSystemTimeNew:
		return true
	}
	return false
}

// ReadMSR is RDMSR on vCPU cpu; ok is false for an MSR that is not the
// clock's.
func (c *Clock) ReadMSR(cpu, msr uint32) (v uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch msr {
	case x86.MSRKVMWallClock, x86.MSRKVMWallClockNew:
		return c.wall, true
	case x86.MSRKVMSystemTime, x86.MSRKVMSystemTimeNew:
		if int(cpu) < len(c.systems) {
			return c.systems[cpu].msr, true
		}
	}
	return 0, false
}

// WriteMSR is WRMSR on vCPU cpu; ok is false for #GP: an MSR that is not the
// clock's, or an address that is not RAM.
func (c *Clock) WriteMSR(cpu, msr uint32, v uint64) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch msr {
	case x86.MSRKVMWallClock, x86.MSRKVMWallClockNew:
		if c.publishWall(memory.GPA(v)) != nil {
			return false
		}
		c.wall = v
		return true
	case x86.MSRKVMSystemTime, x86.MSRKVMSystemTimeNew:
		if int(cpu) >= len(c.systems) {
			return false
		}
		old := c.systems[cpu].msr
		c.systems[cpu].msr = v
		if c.publish(int(cpu), flagStable) != nil {
			c.systems[cpu].msr = old
			return false
		}
		return true
	}
	return false
}

// wallBase is the time of day when the system time was 0.
func (c *Clock) wallBase() time.Time {
	return c.cfg.Clock.Wall().Add(-(c.cfg.Clock.Now() + time.Duration(c.bias)))
}
