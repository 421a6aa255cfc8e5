package insn

import (
	"errors"

	"ringo/x86"
)

// Emulator executes single instructions for one processor. It is used by one
// goroutine at a time and keeps a cache of decoded instructions; the zero
// value is ready.
type Emulator struct {
	// Paging holds what the owner knows of the guest's processor: PhysBits,
	// NoPage1G and PKRU. The registers in it are set by Step.
	Paging PagingState

	// Known is what the processor said of the access that made it exit; Step
	// clears it.
	Known Known

	m     Machine
	phys  Phys // m, or what Fetch was given
	s     *x86.State
	mode  Mode
	in    *Inst
	mem   span   // the explicit memory operand
	lin   uint64 // its linear address
	fault Fault
	cold  Inst // an instruction that could not be cached
	cache [cacheSize]cacheEntry
}

// Known is a translation that the processor has done already, with all checks
// of the guest's tables: an access at an address with the same offset in its
// page goes to GPA. It spares a walk. Even if the guest changes the
// instruction under way, it reaches nothing that it was not allowed to.
type Known struct {
	Valid bool
	Write bool // the access was a write, or a read-modify-write
	GPA   uint64
}

// covers tells whether k is the translation of this access.
func (k *Known) covers(lin uint64, size uint8, access Access) bool {
	offset := lin & x86.PageOffset4K
	return k.Valid && offset == k.GPA&x86.PageOffset4K && offset+uint64(size) <= x86.PageSize4K &&
		(k.Write || access&AccessWrite == 0)
}

// Inst is the instruction of the last Step. It is valid until the next one and
// must not be changed; nil if it could not be fetched or decoded.
func (e *Emulator) Inst() *Inst { return e.in }

// ModeOf is the mode of the code that s executes.
func ModeOf(s *x86.State) Mode {
	switch {
	case s.Mode64():
		return Mode64
	case s.CR0&x86.CR0PE != 0 && s.RFLAGS&x86.FlagVM == 0 && s.Seg[x86.CS].Attr&x86.AttrDB != 0:
		return Mode32
	}
	return Mode16
}

// Step executes the instruction at s.RIP. code is the instruction's bytes where
// the processor gave them, else nil and they are fetched. The groups GPR, IP,
// CR, DR, Seg and Interrupt of s must be loaded; FPU is asked for when needed.
//
// An error means that the guest cannot go on: one of the Machine's, ErrNotRAM,
// or ErrUnsupported.
func (e *Emulator) Step(m Machine, s *x86.State, code []byte) (Result, error) {
	e.m = m
	e.begin(m, s)
	traced := s.RFLAGS&x86.FlagTF != 0
	err := e.decode(code)
	if err == nil {
		err = e.execute()
	}
	e.Known.Valid = false
	if err == nil {
		e.retire()
		return Result{SingleStep: traced}, nil
	}
	return e.failed(err)
}

// Fetch decodes the instruction at s.RIP without executing it, for its length
// or its kind; code is as in Step. The error is one of Decode's, ErrNotRAM,
// ErrAgain or a *Fault of the fetch, valid until the next call. With
// ErrUnsupported the instruction is given too, and its Len is right.
func (e *Emulator) Fetch(mem Phys, s *x86.State, code []byte) (*Inst, error) {
	e.begin(mem, s)
	err := e.decode(code)
	return e.in, err
}

// begin turns to another state.
func (e *Emulator) begin(mem Phys, s *x86.State) {
	e.phys, e.s, e.in = mem, s, nil
	e.mode = ModeOf(s)
	e.Paging.Set(s)
}

// failed sorts what stopped an instruction.
func (e *Emulator) failed(err error) (Result, error) {
	switch err {
	case ErrAgain:
		return Result{Status: StatusAgain}, nil
	case errTraced:
		return Result{Status: StatusAgain, SingleStep: true}, nil
	case errOwner:
		return Result{Status: StatusOwner, Linear: e.lin}, nil
	case ErrInvalid:
		err = e.ud()
	case ErrTooLong:
		err = e.gp()
	}
	var f *Fault
	if errors.As(err, &f) {
		return Result{Status: StatusFault, Fault: *f}, nil
	}
	return Result{}, err
}

var (
	// errOwner says that the owner executes the instruction.
	errOwner = errors.New("instruction is the owner's")
	// errTraced says that RFLAGS.TF ends a repeated instruction after one
	// iteration.
	errTraced = errors.New("single step within a repeated instruction")
)

// retire moves past the instruction.
func (e *Emulator) retire() {
	e.s.RIP = e.nextIP()
	e.s.RFLAGS &^= x86.FlagRF
	e.s.Interrupt.STIShadow, e.s.Interrupt.MovSSShadow = false, false
}

// nextIP is the address of the next instruction.
func (e *Emulator) nextIP() uint64 {
	next := e.s.RIP + uint64(e.in.Len)
	if e.mode == Mode64 {
		return next
	}
	// 16-bit code does not wrap at 64 KiB either: the limit stops it.
	return next & 0xFFFFFFFF
}

// Skip moves RIP past the last Step's instruction, for an owner that has
// executed it.
func (e *Emulator) Skip(s *x86.State) {
	if e.in != nil {
		e.s = s
		e.retire()
	}
}
