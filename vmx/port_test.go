package vmx

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// TestPortsInRow: an Exit that describes a port access is right about the next
// one, whatever that is.
func TestPortsInRow(t *testing.T) {
	r := newRig(t)
	r.long(t, 0x1000)
	a := &r.c.area
	var e vcpu.Exit
	access := func(q uint64, length uint32) {
		r.exit(ExitReasonIO, length, func(c *vcpuMem) { c.exit.qualification = q })
		r.run(t, &e)
	}
	a.GPR[x86.RAX] = 0x1234_5678
	access(0x3F8<<16|1, 2)
	require.Equal(t, []any{true, uint8(2), uint16(0x3F8), uint64(0x5678)}, []any{e.Write, e.Size, e.Port, e.Data})
	access(0x60<<16|ioTypeIN, 1)
	require.Equal(t, []any{false, uint8(1), uint16(0x60), uint64(0)}, []any{e.Write, e.Size, e.Port, e.Data})
	require.EqualValues(t, 0x1002, a.RIP, "behind the first")
	require.EqualValues(t, 1, e.Len)
	require.EqualValues(t, 2, a.Exits[vcpu.KindPIO])

	// The owner has changed registers meanwhile.
	e.Data = 0xAB
	a.GPR[x86.RSP], a.RFLAGS = 0x7000, x86.FlagReserved1|x86.FlagCF
	access(0x61<<16|ioTypeIN|3, 2)
	require.EqualValues(t, 0x1234_56AB, a.GPR[x86.RAX])
	require.EqualValues(t, 0x7000, a.GPR[x86.RSP])
	require.EqualValues(t, x86.FlagReserved1|x86.FlagCF, a.RFLAGS)
	require.EqualValues(t, 0x1003, a.RIP)

	// A single step traps behind the access.
	a.RFLAGS = x86.FlagReserved1 | x86.FlagTF
	access(0x61<<16|ioTypeIN, 2)
	require.EqualValues(t, x86.VectorDB, eventVector(r.taken()))
	require.NotZero(t, r.c.dr[4]&x86.DR6BS)

	// Something else follows, and then a string access, which is not plain.
	r.exit(ExitReasonVMCALL, 3, nil)
	r.run(t, &e)
	require.Equal(t, vcpu.KindHypercall, e.Kind)
	require.False(t, e.Write)
	access(0x62<<16|ioString, 2)
	require.True(t, e.String)
	rip := a.RIP
	access(0x62<<16|ioTypeIN, 2)
	require.Equal(t, rip, a.RIP, "the caller moves over a string access")
	require.False(t, e.String)
}
