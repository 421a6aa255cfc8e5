package insn

import (
	"encoding/binary"

	"ringo/x86"
)

// doVector executes a load or store of an XMM register.
func (e *Emulator) doVector() error {
	in, v := e.in, &e.in.vec
	if err := e.m.FPU(!v.store); err != nil {
		return err
	}
	if err := e.vectorAllowed(v); err != nil {
		return err
	}
	offset := e.effective(&in.Mem, in.AddrSize)
	if v.aligned {
		if err := e.aligned16(in.Mem.Seg, offset); err != nil {
			return err
		}
	}
	var access Access
	if v.store {
		access = AccessWrite
	}
	var err error
	if e.mem, err = e.translate(in.Mem.Seg, offset, v.size, access); err != nil {
		return err
	}
	if v.store {
		x := e.xmm(in.Args[1].Reg)
		if v.high {
			x[0] = x[1]
		}
		return e.storeVector(&e.mem, v.size, x)
	}
	x, err := e.loadVector(&e.mem, v.size)
	if err != nil {
		return err
	}
	e.loadXMM(in.Args[0].Reg, x)
	return nil
}

// vectorAllowed checks the control registers (SDM volume 2A, section 2.4
// "AVX and SSE Instruction Exception Classification").
func (e *Emulator) vectorAllowed(v *vectorMove) error {
	s := e.s
	if v.vex {
		const need = x86.XCR0SSE | x86.XCR0AVX
		if s.CR4&x86.CR4OSXSAVE == 0 || s.XCR0&need != need || s.CR0&x86.CR0PE == 0 || s.Virtual8086() {
			return e.ud()
		}
	} else if s.CR0&x86.CR0EM != 0 || s.CR4&x86.CR4OSFXSR == 0 {
		return e.ud()
	}
	if s.CR0&x86.CR0TS != 0 {
		return e.raise(x86.VectorNM)
	}
	return nil
}

// component makes sure that a component's bytes in the image mean something:
// one that XSTATE_BV leaves out is in its initial state, all zero.
func (e *Emulator) component(bit uint64, from, n int) {
	header := e.s.XSAVE[x86.XSaveHeader:]
	bv := binary.LittleEndian.Uint64(header)
	if bv&bit == 0 {
		clear(e.s.XSAVE[from : from+n])
		binary.LittleEndian.PutUint64(header, bv|bit)
	}
}

// ssePart is the size of the XMM registers in the image, in bytes.
const ssePart = 256

// xmm reads a register.
func (e *Emulator) xmm(reg uint8) [2]uint64 {
	if binary.LittleEndian.Uint64(e.s.XSAVE[x86.XSaveHeader:])&x86.XCR0SSE == 0 {
		return [2]uint64{}
	}
	b := e.s.XSAVE[x86.XSaveXMM0+16*int(reg&15):]
	return [2]uint64{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

// ymmOffset is where the standard format keeps the upper halves of the YMM
// registers (CPUID.0DH.2:EBX on every processor).
const ymmOffset = 576

// loadXMM puts what a load read into a register, and clears or keeps the rest
// as the instruction does.
func (e *Emulator) loadXMM(reg uint8, x [2]uint64) {
	v := &e.in.vec
	e.component(x86.XCR0SSE, x86.XSaveXMM0, ssePart)
	at := x86.XSaveXMM0 + 16*int(reg&15)
	low, high := e.s.XSAVE[at:], e.s.XSAVE[at+8:]
	switch {
	case v.merge && v.high:
		binary.LittleEndian.PutUint64(high, x[0])
	case v.merge:
		binary.LittleEndian.PutUint64(low, x[0])
	default:
		binary.LittleEndian.PutUint64(low, x[0])
		binary.LittleEndian.PutUint64(high, x[1])
	}
	if v.vex {
		clear(e.s.XSAVE[ymmOffset+16*int(reg&15):][:16])
	}
}
