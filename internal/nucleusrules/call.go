package nucleusrules

import (
	"maps"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"ringo/x86/insn"
)

// returnAddress is what a call pushes, in bytes.
const returnAddress = 8

// finish takes down depths and calls, once all jumps are known.
func (s *scanner) finish() {
	s.defers()
	for i, deepest := range s.deepest {
		for _, pc := range slices.Sorted(maps.Keys(deepest)) {
			in, p := s.steps[pc], place{deepest[pc], i == 1}
			if in == nil {
				continue
			}
			if after, err := p.after(in); err == nil && after.other == p.other {
				s.used(after)
			}
			switch in.flow() {
			case flowCall:
				s.call(in, p, p.depth+returnAddress)
			case flowJump, flowBranch:
				if to, direct := in.target(); !(direct && s.inside(to)) && !in.isTableJump() {
					s.call(in, p, p.depth)
				}
			}
		}
	}
}

// deferReturn is where a function with a defer goes on after a recovered
// panic. No flow of the function itself leads there.
const deferReturn = "runtime.deferreturn"

// defers looks for the call of deferReturn in all code of the function.
func (s *scanner) defers() {
	for at := 0; at < len(s.code); {
		in, err := decode(s.code[at:], s.self.start+uint64(at))
		if err != nil {
			return // data; the compiler makes none
		}
		if to, direct := in.target(); direct && in.flow() == flowCall && s.image.functionAt(to) == deferReturn {
			s.f.Calls = append(s.f.Calls, Call{To: deferReturn, Site: in.pc})
			return
		}
		at += int(in.Len)
	}
}

// used notes the depth of a stack.
func (s *scanner) used(p place) {
	if p.other {
		s.f.Other = max(s.f.Other, p.depth)
	} else {
		s.f.Own = max(s.f.Own, p.depth)
	}
}

// call notes a call or a tail call.
func (s *scanner) call(in *step, p place, depth int) {
	s.used(place{depth, p.other})
	c := Call{Depth: depth, Other: p.other, Site: in.pc}
	if to, direct := in.target(); direct {
		if c.To = s.image.functionAt(to); c.To == "" {
			s.f.Faults = append(s.f.Faults, Fault{RuleCode, "calls the middle of a function: " + insn.Text(in.code, in.pc, insn.Mode64)})
			return
		}
	} else {
		c.Through = s.through(in)
	}
	s.f.Calls = append(s.f.Calls, c)
}

// through finds the func variable of an indirect call. A func value points to
// the word that holds the address of the code:
//
//	MOV DX, variable(RIP); MOV CX, (DX); CALL CX
//
// Code that is not of this form, or that a jump enters midway, gives "".
func (s *scanner) through(in *step) string {
	if in.Args[0].Kind == insn.KindReg {
		if in = s.origin(in, in.Args[0].Reg); in == nil {
			return ""
		}
	} else if in.Args[0].Kind != insn.KindMem {
		return ""
	}
	m := in.Mem
	if m.Base >= insn.RIPReg || m.Index != insn.NoReg || m.Disp != 0 {
		return ""
	}
	if in = s.origin(in, m.Base); in == nil {
		return ""
	}
	addr, ok := in.address()
	if !ok {
		return ""
	}
	return s.image.variableAt(addr)
}

// origin finds the load from memory that gave register r its value before in,
// in the straight code before it; nil if it is not there.
func (s *scanner) origin(in *step, r uint8) *step {
	for {
		before, ok := s.prev[in.pc]
		if !ok || s.joined[in.pc] {
			return nil
		}
		if in = s.steps[before]; in.flow() == flowCall {
			return nil
		}
		if in.writes(r) {
			if x86asm.Op(in.Op) == x86asm.MOV && in.Args[1].Kind == insn.KindMem {
				return in
			}
			return nil
		}
	}
}
