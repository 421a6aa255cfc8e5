package nucleusrules

import (
	"fmt"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"ringo/x86/insn"
)

// maxDepth bounds the stack that Scan follows: more of it is a push in a loop.
const maxDepth = 1 << 20

// place is the state at an instruction: how deep the stack is, and which.
type place struct {
	depth int
	other bool
}

// scanner follows one function. The same instruction may be reached with
// several depths; the deepest counts for each of the two stacks.
type scanner struct {
	image   *Image
	self    *symbol
	code    []byte
	f       *Function
	steps   map[uint64]*step
	prev    map[uint64]uint64 // the instruction just before, where one was seen
	joined  map[uint64]bool   // reached by a jump, too
	deepest [2]map[uint64]int // for the stack of the entry, and for another
	todo    []struct {
		pc uint64
		place
	}
	tables []uint64 // jump tables whose addresses were taken
}

// Function scans the function of that name.
func (m *Image) Function(name string) (*Function, error) {
	self := m.byName[name]
	if self == nil {
		return nil, fmt.Errorf("%s: %w", name, ErrNoFunction)
	}
	code, _ := m.bytes(self.start, self.end-self.start)
	s := &scanner{
		image: m, self: self, code: code, f: &Function{Name: name},
		steps: map[uint64]*step{}, prev: map[uint64]uint64{}, joined: map[uint64]bool{},
		deepest: [2]map[uint64]int{{}, {}},
	}
	s.push(self.start, place{})
	for len(s.todo) > 0 {
		next := s.todo[len(s.todo)-1]
		s.todo = s.todo[:len(s.todo)-1]
		if err := s.run(next.pc, next.place); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	s.finish()
	return s.f, nil
}

// push notes that the flow leads to pc.
func (s *scanner) push(pc uint64, p place) {
	s.todo = append(s.todo, struct {
		pc uint64
		place
	}{pc, p})
}

// index chooses between the two stacks.
func (p place) index() int {
	if p.other {
		return 1
	}
	return 0
}

// run follows the flow from pc to the next instruction that was met already at
// this depth, or that leads elsewhere.
func (s *scanner) run(pc uint64, p place) error {
	for {
		if old, seen := s.deepest[p.index()][pc]; seen && p.depth <= old {
			return nil
		}
		s.deepest[p.index()][pc] = p.depth
		in, err := s.at(pc)
		if err != nil {
			return err
		}
		if p, err = p.after(in); err != nil {
			return err
		}
		switch in.flow() {
		case flowEnd:
			return nil
		case flowJump:
			return s.jump(in, p)
		case flowBranch:
			if err := s.jump(in, p); err != nil {
				return err
			}
		case flowCall:
			if s.isLastCall(in) {
				return nil
			}
		}
		s.prev[in.next] = pc
		pc = in.next
	}
}

// isLastCall tells whether a call is one after which the compiler puts nothing
// that belongs to it.
func (s *scanner) isLastCall(in *step) bool {
	to, direct := in.target()
	return direct && neverReturns(s.image.functionAt(to))
}

// at decodes the instruction at pc, or takes it from before.
func (s *scanner) at(pc uint64) (*step, error) {
	if in := s.steps[pc]; in != nil {
		return in, nil
	}
	if pc < s.self.start || pc-s.self.start >= uint64(len(s.code)) {
		return nil, fmt.Errorf("the flow leaves the function at %#x", pc)
	}
	in, err := decode(s.code[pc-s.self.start:], pc)
	if err != nil {
		return nil, err
	}
	s.steps[pc] = &in
	s.note(&in)
	return &in, nil
}

// after is the state behind an instruction. A depth below zero means the
// caller's part of the stack, or the top of a stack just loaded: both count as
// zero, which is more than the truth.
func (p place) after(in *step) (place, error) {
	e := in.stack()
	switch {
	case e.unknown:
		return p, fmt.Errorf("%s at %#x changes the stack pointer in a way that cannot be followed", in.name(), in.pc)
	case e.other:
		return place{other: true}, nil
	}
	p.depth = max(p.depth+e.grow, 0)
	if p.depth > maxDepth {
		return p, fmt.Errorf("the stack grows in a loop at %#x", in.pc)
	}
	return p, nil
}

// note takes down what an instruction does whatever the stack is.
func (s *scanner) note(in *step) {
	if rule, bad := in.fault(); bad {
		s.f.Faults = append(s.f.Faults, Fault{rule, insn.Text(in.code, in.pc, insn.Mode64)})
	}
	addr, ok := in.address()
	if !ok || x86asm.Op(in.Op) != x86asm.LEA {
		return
	}
	name := s.image.functionAt(addr)
	if word, ok := s.image.constant(addr); ok && name == "" {
		if name = s.image.functionAt(word); name == "" && s.inside(word) {
			s.tables = append(s.tables, addr)
		}
	}
	if name != "" && !slices.Contains(s.f.Refs, name) {
		s.f.Refs = append(s.f.Refs, name)
	}
}

func (s *scanner) inside(pc uint64) bool { return pc >= s.self.start && pc < s.self.end }

// jump follows a jump to its targets inside the function. Those outside are
// tail calls, which finish takes down.
func (s *scanner) jump(in *step, p place) error {
	to, direct := in.target()
	switch {
	case direct && s.inside(to):
		s.joined[to] = true
		s.push(to, p)
	case in.isTableJump():
		return s.table(in, p)
	}
	return nil
}

// isTableJump tells whether the instruction is the compiler's form of a
// switch: a jump through a table in memory.
func (s *step) isTableJump() bool {
	return s.flow() == flowJump && s.Args[0].Kind == insn.KindMem && s.Mem.Index != insn.NoReg
}

// table follows a jump through any of the function's tables. Which of them it
// is does not matter: all lead to places in this function.
func (s *scanner) table(in *step, p place) error {
	if len(s.tables) == 0 {
		return fmt.Errorf("no table was found for the jump at %#x", in.pc)
	}
	for _, t := range s.tables {
		for ; ; t += 8 {
			to, ok := s.image.constant(t)
			if !ok || !s.inside(to) {
				break
			}
			s.joined[to] = true
			s.push(to, p)
		}
	}
	return nil
}
