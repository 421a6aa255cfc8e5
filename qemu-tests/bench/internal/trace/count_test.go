package trace

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorded is a part of a log of QEMU 7.2: the host's last instruction before
// the guest, the guest's CPUID, and the host's first two after it.
const recorded = `----------------
IN: 
0x005d18f8:  0f 01 d8                 vmrun    %rax

Trace 0: 0x7fd908e16140 [0000000000000000/00000000005d18f8/0050c2b0/ff020201] 
----------------
IN: 
0x001000d5: unable to read memory

Trace 0: 0x7fd908e16200 [0000000000000000/00000000001000d5/0020c2b7/ff020201] 
----------------
IN: 
0x005d1903:  48 89 54 24 08           movq     %rdx, 8(%rsp)

Trace 0: 0x7fd908e162c0 [0000000000000000/00000000005d1903/0050c2b0/ff020201] 
----------------
IN: 
0x005d1908:  0f 01 db                 vmsave   %rax

Trace 0: 0x7fd908e16440 [0000000000000000/00000000005d1908/0050c2b0/ff020201] 
`

func TestReadQEMU(t *testing.T) {
	var steps []step
	require.NoError(t, readQEMU(strings.NewReader(recorded), func(s step) { steps = append(steps, s) }))
	require.Equal(t, []step{
		{where{0x5d18f8, false}, ClassVMRUN, true},
		{where{0x1000d5, true}, ClassPlain, false},
		{where{0x5d1903, false}, ClassPlain, true},
		{where{0x5d1908, false}, ClassVMSAVE, true},
	}, steps)
}

func TestReadersRefuseOtherFiles(t *testing.T) {
	ignore := func(step) {}
	for _, log := range []string{"", "hello\n", "Trace 0: 0x1\n", "Trace 0: 0x1 [0/zz/0/0]\n", "Trace 0: 0x1 [0/1/zz/0]\n", strings.Repeat("x", 1<<20)} {
		require.ErrorIs(t, readQEMU(strings.NewReader(log), ignore), ErrLog)
	}
	for _, log := range []string{"", "hello\n", "(0).[1]\n", "(0).[1] [0x1] 8\n", "(0).[1] [zz] 8:1 nop ; 90\n", "(0).[1] [0x1] 8:zz nop ; 90\n", strings.Repeat("x", 1<<20)} {
		require.ErrorIs(t, readBochs(strings.NewReader(log), ignore), ErrLog)
	}
}

// logOf writes a log of instructions: "g" is one of the guest, every other
// letter one of the host, with bytes if it is in code.
func logOf(program string, code map[rune]string) string {
	var log strings.Builder
	for _, r := range program {
		flags := 0x50c2b0
		if r == 'g' {
			flags |= guestMode
		}
		if bytes := code[r]; bytes != "" {
			fmt.Fprintf(&log, "IN: \n0x%08x:  %s\n\n", 0x400000+r, bytes)
		}
		fmt.Fprintf(&log, "Trace 0: 0x1 [0/%016x/%08x/0] \n", 0x400000+r, flags)
	}
	return log.String()
}

var program = map[rune]string{'s': "0f 01 db  vmsave", 'm': "0f 32  rdmsr", 'p': "90  nop", 'l': "f0 ff 00  lock inc", 'r': "0f 01 d8  vmrun"}

func TestCountTakesTheMostCommonPath(t *testing.T) {
	// What comes before the first guest instruction and after the last one is
	// no whole path; an exit now and then goes another way.
	log := "mmr" + strings.Repeat("gg"+"splr", 9) + "g" + "smmmmr" + strings.Repeat("gsplr", 3) + "gsp"
	p, err := CountQEMU(strings.NewReader(logOf(log, program)))
	require.NoError(t, err)
	want := Path{Instructions: 4, Seen: 12, Exits: 13}
	want.Counts[ClassVMSAVE], want.Counts[ClassPlain], want.Counts[ClassLock], want.Counts[ClassVMRUN] = 1, 1, 1, 1
	require.Equal(t, want, p)
}

func TestCountRefuses(t *testing.T) {
	_, err := CountQEMU(strings.NewReader(logOf(strings.Repeat("gsr", 3), program)))
	require.ErrorIs(t, err, ErrFew)
	_, err = CountQEMU(strings.NewReader(logOf(strings.Repeat("s", 99), program)))
	require.ErrorIs(t, err, ErrFew)
	_, err = CountQEMU(strings.NewReader(logOf(strings.Repeat("gs?r", 99), program)))
	require.ErrorIs(t, err, ErrLog, "an instruction without bytes cannot be counted")
	_, err = CountQEMU(failing{})
	require.ErrorIs(t, err, errRead)
}

type failing struct{}

var errRead = errors.New("the disk is gone")

func (failing) Read([]byte) (int, error) { return 0, errRead }

// tracedByBochs is a part of what Bochs 2.7 prints: the guest's loop with a
// CPUID, and the host's first and last instruction for it.
const tracedByBochs = `(0) Magic breakpoint
Next at t=180526078
(0) [0x000037d000e7] 0008:00000000001000e7 (unk. ctxt): xor eax, eax              ; 31c0
Tracing enabled for CPU0
(0).[180526078] [0x000037d000e7] 0008:00000000001000e7 (unk. ctxt): xor eax, eax              ; 31c0
(0).[180526079] [0x000037d000e9] 0008:00000000001000e9 (unk. ctxt): cpuid                     ; 0fa2
(0).[180526080] [0x000000d7a320] 0008:0000000000575320 (unk. ctxt): mov qword ptr ss:[rsp], rdx ; 48891424
(0).[180526500] [0x000000d7a2e8] 0008:00000000005752e8 (unk. ctxt): vmresume                  ; 0f01c3
`

func TestReadBochs(t *testing.T) {
	var steps []step
	require.NoError(t, readBochs(strings.NewReader(tracedByBochs), func(s step) { steps = append(steps, s) }))
	require.Equal(t, []step{
		{where{0x1000e7, true}, ClassPlain, true},
		{where{0x1000e9, true}, ClassCPUID, true},
		{where{0x575320, false}, ClassPlain, true},
		{where{0x5752e8, false}, ClassVMRUN, true},
	}, steps)
}

func TestCountBochs(t *testing.T) {
	p, err := CountBochs(strings.NewReader(strings.Repeat(tracedByBochs, minSame+1)))
	require.NoError(t, err)
	require.Equal(t, 2, p.Instructions)
	require.Equal(t, 1, p.Counts[ClassVMRUN])
	require.Equal(t, minSame, p.Seen)
	unknown := strings.ReplaceAll(tracedByBochs, "; 0f01c3", "")
	_, err = CountBochs(strings.NewReader(strings.Repeat(unknown, minSame+1)))
	require.ErrorIs(t, err, ErrLog)
}
