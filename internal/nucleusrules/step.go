package nucleusrules

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/arch/x86/x86asm"

	"ringo/x86"
	"ringo/x86/insn"
)

// step is one decoded instruction.
type step struct {
	insn.Inst
	pc, next uint64
	code     []byte
}

// decode reads the instruction at the start of code, which lies at pc. What
// has a length but no known meaning is an instruction without a mnemonic: all
// that change the flow or the stack pointer are known.
func decode(code []byte, pc uint64) (step, error) {
	in, err := insn.Decode(code, insn.Mode64)
	if errors.Is(err, insn.ErrUnsupported) {
		var n int
		n, err = insn.Length(code, insn.Mode64)
		in.Len = uint8(n)
	}
	if err != nil {
		return step{}, fmt.Errorf("instruction at %#x: %w", pc, err)
	}
	return step{in, pc, pc + uint64(in.Len), code[:in.Len]}, nil
}

// flow is where an instruction leads.
type flow uint8

const (
	flowNext   flow = iota // to the next instruction
	flowBranch             // to the next or to the target
	flowJump               // to the target
	flowCall               // calls the target
	flowEnd                // out of the function
)

func (s *step) flow() flow {
	switch x86asm.Op(s.Op) {
	case x86asm.CALL:
		return flowCall
	case x86asm.JMP:
		return flowJump
	case x86asm.RET, x86asm.LRET, x86asm.IRET, x86asm.IRETD, x86asm.IRETQ, x86asm.SYSRET, x86asm.SYSEXIT,
		x86asm.UD0, x86asm.UD1, x86asm.UD2, x86asm.INT, x86asm.LCALL, x86asm.LJMP:
		return flowEnd
	}
	if name := s.name(); strings.HasPrefix(name, "J") || strings.HasPrefix(name, "LOOP") {
		return flowBranch
	}
	return flowNext
}

// name is the mnemonic, "" where it is not known.
func (s *step) name() string {
	if s.Op == 0 {
		return ""
	}
	return s.Op.String()
}

// target is where a direct jump or call leads.
func (s *step) target() (uint64, bool) {
	if s.Args[0].Kind != insn.KindOther {
		return 0, false
	}
	return s.next + uint64(s.Imm), true
}

// address is that of a memory operand relative to RIP.
func (s *step) address() (uint64, bool) {
	if s.Mem.Base != insn.RIPReg || s.Mem.Index != insn.NoReg {
		return 0, false
	}
	return s.next + uint64(s.Mem.Disp), true
}

// writes tells whether the first operand is general register r and changed.
func (s *step) writes(r uint8) bool {
	switch x86asm.Op(s.Op) {
	case x86asm.CMP, x86asm.TEST, x86asm.PUSH, x86asm.CALL, x86asm.JMP, x86asm.BT:
		return false
	}
	return s.reads(0, r)
}

// reads tells whether operand i is general register r.
func (s *step) reads(i int, r uint8) bool {
	a := s.Args[i]
	return a.Kind == insn.KindReg && a.Reg == r && !a.High
}

// fault is the rule that the instruction breaks by being there.
func (s *step) fault() (Rule, bool) {
	if s.vex() {
		return RuleVEX, true
	}
	name := s.name()
	for _, p := range [...]string{"F", "EMMS", "XSAVE", "XRSTOR"} {
		if strings.HasPrefix(name, p) {
			return RuleExtended, true
		}
	}
	return "", false
}

// vex tells whether the instruction has a VEX, EVEX or XOP prefix, which in
// 64-bit mode is told from an opcode by its first byte, and XOP by the second.
func (s *step) vex() bool {
	code := s.code
	for len(code) > 2 && strings.IndexByte("\x2e\x36\x3e\x26\x64\x65\x67", code[0]) >= 0 {
		code = code[1:]
	}
	if len(code) < 2 {
		return false
	}
	return code[0] == 0xC4 || code[0] == 0xC5 || code[0] == 0x62 || code[0] == 0x8F && code[1]&0x1F >= 8
}

// slot is the size of what a push or pop moves.
func (s *step) slot() int {
	if s.OpSize == 2 {
		return 2
	}
	return 8
}

// stack is what an instruction does to the stack pointer.
type stack struct {
	grow    int  // bytes
	other   bool // it becomes that of another stack
	unknown bool
}

func (s *step) stack() stack {
	op := x86asm.Op(s.Op)
	switch op {
	case x86asm.PUSH, x86asm.PUSHFQ, x86asm.PUSHF:
		return stack{grow: s.slot()}
	case x86asm.POP, x86asm.POPFQ, x86asm.POPF:
		return stack{grow: -s.slot(), unknown: s.writes(x86.RSP)}
	case x86asm.LEAVE, x86asm.ENTER:
		return stack{unknown: true}
	case x86asm.XCHG:
		return stack{unknown: s.reads(0, x86.RSP) || s.reads(1, x86.RSP)}
	}
	if !s.writes(x86.RSP) {
		return stack{}
	}
	constant := s.Args[1].Kind == insn.KindImm
	_, fixed := s.address()
	switch {
	case op == x86asm.SUB && constant:
		return stack{grow: int(s.Imm)}
	case op == x86asm.ADD && constant:
		return stack{grow: -int(s.Imm)}
	case op == x86asm.AND && constant && s.Imm < 0:
		return stack{grow: int(-s.Imm - 1)}
	case op == x86asm.LEA && s.Mem.Base == x86.RSP && s.Mem.Index == insn.NoReg:
		return stack{grow: -int(s.Mem.Disp)}
	case op == x86asm.LEA && fixed, op == x86asm.MOV && s.Args[1].Kind == insn.KindMem:
		return stack{other: true}
	}
	return stack{unknown: true}
}
