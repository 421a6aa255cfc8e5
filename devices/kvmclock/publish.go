package kvmclock

import (
	"encoding/binary"

	"ringo/memory"
)

// Layout of struct pvclock_vcpu_time_info, 32 bytes.
const (
	infoVersion      = 0  // uint32, odd while the rest changes
	infoTSC          = 8  // uint64, tsc_timestamp
	infoSystemTime   = 16 // uint64, ns at tsc_timestamp
	infoMul          = 24 // uint32, tsc_to_system_mul
	infoShift        = 28 // int8, tsc_shift
	infoFlags        = 29 // uint8
	infoSize         = 32
	flagStable       = 1 << 0 // agrees between vCPUs
	flagStopped      = 1 << 1 // the host paused the VM
	infoAddress      = ^uint64(enable)
	wallVersion      = 0 // uint32
	wallSec          = 4 // uint32
	wallNsec         = 8 // uint32
	wallSize         = 12
	versionFieldSize = 4
)

// publish writes the structure of vCPU i, if that has enabled it.
func (c *Clock) publish(i int, flags uint8) error {
	if i >= len(c.systems) || c.systems[i].msr&enable == 0 {
		return nil
	}
	s := &c.systems[i]
	var b [infoSize]byte
	binary.LittleEndian.PutUint64(b[infoTSC:], c.cfg.Areas[i].GuestTSC(c.baseTSC))
	binary.LittleEndian.PutUint64(b[infoSystemTime:], uint64(c.baseTime))
	binary.LittleEndian.PutUint32(b[infoMul:], c.scale.mul)
	b[infoShift] = byte(c.scale.shift)
	b[infoFlags] = flags
	return c.writeVersioned(memory.GPA(s.msr&infoAddress), b[:], &s.version)
}

// publishWall writes the wall clock structure at a. The seconds have 32 bits,
// as the interface has them.
func (c *Clock) publishWall(a memory.GPA) error {
	t := c.wallBase()
	var b [wallSize]byte
	binary.LittleEndian.PutUint32(b[wallSec:], uint32(t.Unix()))
	binary.LittleEndian.PutUint32(b[wallNsec:], uint32(t.Nanosecond()))
	return c.writeVersioned(a, b[:], &c.wallVer)
}

// writeVersioned writes a structure that starts with its version: odd first,
// then the rest, then the next even version, so that a reader on another vCPU
// knows when it saw a mixture.
func (c *Clock) writeVersioned(a memory.GPA, b []byte, version *uint32) error {
	*version = *version&^1 + 1
	binary.LittleEndian.PutUint32(b, *version)
	if err := c.cfg.Memory.WriteAt(b[:versionFieldSize], a); err != nil {
		return err
	}
	if err := c.cfg.Memory.WriteAt(b[versionFieldSize:], a+versionFieldSize); err != nil {
		return err
	}
	*version++
	binary.LittleEndian.PutUint32(b, *version)
	return c.cfg.Memory.WriteAt(b[:versionFieldSize], a)
}
