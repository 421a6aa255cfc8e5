package asm

// Operand is what an instruction works on: Reg, Imm, Addr or Mem.
type Operand interface{ operand() }

// Imm is an immediate value. Values of both signs are accepted where the
// bits fit the field.
type Imm int64

// Addr is the address of a label, plus Add, as an immediate value.
type Addr struct {
	Label string
	Add   int64
}

// Mem is a memory operand: [Base + Index*Scale + Label + Disp].
//
// With a Label and no Base it is the label's own address: relative to RIP in
// 64-bit mode, absolute in the others. With a Base the label's address is
// added as a displacement, which is how position-independent 16 and 32-bit
// code with origin 0 names its data.
type Mem struct {
	Size  int // of the access, in bits; 0: the other operand says it
	Seg   Reg // segment override, or 0
	Base  Reg
	Index Reg
	Scale int // 1, 2, 4 or 8; 0 means 1
	Disp  int64
	Label string
}

func (Reg) operand()  {}
func (Imm) operand()  {}
func (Addr) operand() {}
func (Mem) operand()  {}

// Ptr is [base + disp].
func Ptr(base Reg, disp int64) Mem { return Mem{Base: base, Disp: disp} }

// At is the memory at a label.
func At(label string) Mem { return Mem{Label: label} }

// Abs is the memory at a fixed address: 16 bits in 16-bit mode, 32 bits
// (sign-extended in 64-bit mode) in the others.
func Abs(addr int64) Mem { return Mem{Disp: addr} }

// Byte, Word, Dword and Qword say how wide the access is.
func (m Mem) Byte() Mem { m.Size = 8; return m }

// Word makes it an access of 16 bits.
func (m Mem) Word() Mem { m.Size = 16; return m }

// Dword makes it an access of 32 bits.
func (m Mem) Dword() Mem { m.Size = 32; return m }

// Qword makes it an access of 64 bits.
func (m Mem) Qword() Mem { m.Size = 64; return m }

// In adds a segment override.
func (m Mem) In(seg Reg) Mem { m.Seg = seg; return m }

// Plus adds index*scale.
func (m Mem) Plus(index Reg, scale int) Mem { m.Index, m.Scale = index, scale; return m }

// From adds a base register.
func (m Mem) From(base Reg) Mem { m.Base = base; return m }

// Off adds to the displacement.
func (m Mem) Off(n int64) Mem { m.Disp += n; return m }
