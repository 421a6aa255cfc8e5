package insn

// Mode is the size of code in bits: the D and L bits of the code segment.
type Mode uint8

const (
	Mode16 Mode = 16
	Mode32 Mode = 32
	Mode64 Mode = 64
)

// MaxLen is the longest instruction that a processor accepts, in bytes.
const MaxLen = 15

// noSeg says that no segment override prefix was given.
const noSeg = 0xFF

// encoding is how the opcode is introduced.
type encoding uint8

const (
	encLegacy encoding = iota
	encVEX
	encEVEX
	encXOP
)

// layout is where the parts of an instruction lie.
type layout struct {
	code   []byte
	pos    int
	mode   Mode
	data66 bool  // operand size prefix
	addr67 bool  // address size prefix
	lock   bool  // LOCK prefix
	rep    uint8 // the last of F2 and F3, or 0
	seg    uint8 // segment of the last override that counts, or noSeg
	rex    uint8 // REX, or the R, X, B and W bits of VEX in its place; 0 if none
	enc    encoding
	long   bool  // VEX.L or EVEX.L'L is not 0: more than 128 bits
	pp     uint8 // prefix that VEX implies: 0, 66, F3, F2
	vvvv   uint8 // VEX.vvvv as a register number; 0 also if unused
	opMap  uint8
	opcode uint8
	opPos  int // index of the first byte after prefixes and REX

	hasModRM bool
	modrm    uint8
	hasSIB   bool
	sib      uint8
	dispSize uint8
	disp     int64 // sign-extended
	immPos   int
	immSize  uint8
}

func (l *layout) mod() uint8  { return l.modrm >> 6 }
func (l *layout) reg() uint8  { return l.modrm >> 3 & 7 }
func (l *layout) rm() uint8   { return l.modrm & 7 }
func (l *layout) isMem() bool { return l.hasModRM && l.mod() != 3 }

// opSize is the operand size in bytes.
func (l *layout) opSize() uint8 {
	switch {
	case l.rex&rexW != 0:
		return 8
	case (l.mode == Mode16) != l.data66:
		return 2
	}
	return 4
}

// addrSize is the address size in bytes.
func (l *layout) addrSize() uint8 {
	switch {
	case l.mode == Mode64 && !l.addr67:
		return 8
	case l.mode != Mode64 && (l.mode == Mode16) != l.addr67:
		return 2
	}
	return 4
}

// next takes one byte.
func (l *layout) next() (uint8, error) {
	if l.pos >= len(l.code) {
		return 0, l.short()
	}
	b := l.code[l.pos]
	l.pos++
	return b, nil
}

// short says why there is no next byte.
func (l *layout) short() error {
	if len(l.code) >= MaxLen {
		return ErrTooLong
	}
	return ErrTruncated
}

// skip steps over n bytes.
func (l *layout) skip(n uint8) error {
	if len(l.code)-l.pos < int(n) {
		return l.short()
	}
	l.pos += int(n)
	return nil
}

// value reads n bytes at p, sign-extended; n is 0, 1, 2, 4 or 8 and the bytes
// are there.
func (l *layout) value(p int, n uint8) int64 {
	var v uint64
	for i := range int(n) {
		v |= uint64(l.code[p+i]) << (8 * i)
	}
	if n == 0 {
		return 0
	}
	shift := 64 - 8*uint(n)
	return int64(v<<shift) >> shift
}

// scan finds the layout of the instruction at the start of code.
func (l *layout) scan(code []byte, mode Mode) error {
	if len(code) > MaxLen {
		code = code[:MaxLen]
	}
	*l = layout{code: code, mode: mode, seg: noSeg}
	if err := l.scanPrefixes(); err != nil {
		return err
	}
	class, err := l.scanOpcode()
	if err != nil {
		return err
	}
	return l.scanOperands(class)
}

// Length is the number of bytes of the instruction at the start of code. It
// knows every instruction's length; it does not check that the instruction is
// defined.
func Length(code []byte, mode Mode) (int, error) {
	var l layout
	if err := l.scan(code, mode); err != nil {
		return 0, err
	}
	return l.pos, nil
}
