package hv

import (
	"ringo/hv/vcpu"
	"ringo/x86"
	"ringo/x86/insn"
)

// A guest whose CPUID names one vendor and that runs on the other's processor
// meets #UD where the two differ:
//
//   - SYSENTER and SYSEXIT are #UD in long mode on AMD (APM volume 3, SYSENTER);
//   - SYSCALL and SYSRET are #UD outside of 64-bit mode on Intel (SDM volume 2B,
//     SYSCALL);
//   - Intel has VMCALL and AMD has VMMCALL.
//
// Its vCPUs leave at #UD, and what the guest's own processor would have done
// is done here.

// groupsForeign are the register groups that these instructions use.
const groupsForeign = x86.GroupGPR | x86.GroupIP | x86.GroupCR | x86.GroupSeg | x86.GroupInterrupt |
	x86.GroupSyscall | x86.GroupSysenter

// invalidOpcode serves #UD of such a guest.
func (c *cpu) invalidOpcode(e *vcpu.Exit) bool {
	s := c.store(groupsForeign)
	call, ok := findForeignCall(c.emul.peek(s, x86.CS, s.RIP, maxInsnLen), s.Mode64())
	if !ok || !c.presents(call.op) {
		return c.raiseUD(e)
	}
	flags, shadow := s.RFLAGS, s.Interrupt
	call.next = s.RIP + uint64(call.len)
	if !s.Mode64() {
		call.next &= 0xFFFF_FFFF
	}
	if f := foreignCalls[call.op](s, &call); f != nil {
		return c.raiseFault(e, f)
	}
	s.RFLAGS = s.RFLAGS&^x86.FlagRF | x86.FlagReserved1
	groups := x86.GroupGPR | x86.GroupIP | x86.GroupSeg
	if s.Interrupt = endedShadow(shadow); s.Interrupt != shadow {
		groups |= x86.GroupInterrupt
	}
	c.load(groups)
	e.Emulated = true
	if flags&s.RFLAGS&x86.FlagTF != 0 {
		c.store(x86.GroupDR)
		return c.raiseSingleStep(e)
	}
	return true
}

// presents tells whether the processor that the guest sees has the instruction.
func (c *cpu) presents(op foreignOp) bool {
	p := c.board.policy
	switch op {
	case opSYSCALL, opSYSRET:
		return p.AMD() && p.Has("syscall")
	case opSYSENTER, opSYSEXIT:
		return !p.AMD() && p.Has("sep")
	}
	return true // guests of either vendor try either hypercall
}

// endedShadow is what an instruction leaves of the state of interrupts.
func endedShadow(i x86.Interruptibility) x86.Interruptibility {
	return x86.Interruptibility{NMIBlocked: i.NMIBlocked}
}

// maxInsnLen is the longest instruction in bytes.
const maxInsnLen = 15

// foreignOp is an instruction that only one vendor has in some mode.
type foreignOp uint8

const (
	opSYSCALL foreignOp = iota
	opSYSRET
	opSYSENTER
	opSYSEXIT
	opHypercall
)

// foreignCall is such an instruction where it was found.
type foreignCall struct {
	op   foreignOp
	len  int
	rexW bool   // operand size of 64 bits
	next uint64 // RIP behind it
}

// findForeignCall reads prefixes and opcode. LOCK makes each of these invalid.
func findForeignCall(code []byte, mode64 bool) (f foreignCall, ok bool) {
	i := 0
	for i < len(code) && isPrefix(code[i]) {
		i++
	}
	if mode64 && i < len(code) && code[i]&0xF0 == 0x40 { // REX, next to the opcode
		f.rexW = code[i]&8 != 0
		i++
	}
	if len(code)-i < 2 || code[i] != 0x0F {
		return f, false
	}
	f.len = i + 2
	switch code[i+1] {
	case 0x05:
		f.op = opSYSCALL
	case 0x07:
		f.op = opSYSRET
	case 0x34:
		f.op = opSYSENTER
	case 0x35:
		f.op = opSYSEXIT
	case 0x01:
		f.op, f.len = opHypercall, i+3
		return f, f.len <= len(code) && (code[i+2] == modVMCALL || code[i+2] == modVMMCALL)
	default:
		return f, false
	}
	return f, true
}

// ModRM bytes behind 0F 01.
const modVMCALL, modVMMCALL = 0xC1, 0xD9

// isPrefix tells whether b is a prefix that these instructions ignore.
func isPrefix(b byte) bool {
	switch b {
	case 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF2, 0xF3:
		return true
	}
	return false
}

// foreignCalls carry the instructions out on a state with RIP at them. A fault
// leaves the state as it was.
var foreignCalls = [...]func(*x86.State, *foreignCall) *insn.Fault{
	opSYSCALL:   syscall,
	opSYSRET:    sysret,
	opSYSENTER:  sysenter,
	opSYSEXIT:   sysexit,
	opHypercall: foreignHypercall,
}

// foreignHypercall gives a hypercall the answer that the right instruction
// would have got.
func foreignHypercall(s *x86.State, f *foreignCall) *insn.Fault {
	s.GPR[x86.RAX] = hypercallResult(s.CPL, s.Mode64())
	s.RIP = f.next
	return nil
}
