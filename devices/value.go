package devices

// Value is the little-endian number in p, which has at most 8 bytes.
func Value(p []byte) uint64 {
	var v uint64
	for i := len(p) - 1; i >= 0; i-- {
		v = v<<8 | uint64(p[i])
	}
	return v
}

// PutValue stores v in p, little-endian; bytes beyond the eighth are zero.
func PutValue(p []byte, v uint64) {
	for i := range p {
		p[i] = byte(v)
		v >>= 8
	}
}

// ByteRegs serves a region whose registers are one byte each, from off to
// off+len(p), in ascending order, as an 8-bit device on a wider bus is read.
type ByteRegs interface {
	ReadReg(off uint64) uint8
	WriteReg(off uint64, v uint8)
}

// Bytes makes a Handler of byte registers.
func Bytes(r ByteRegs) Handler { return byteHandler{r} }

type byteHandler struct{ regs ByteRegs }

func (h byteHandler) Read(off uint64, p []byte) {
	for i := range p {
		p[i] = h.regs.ReadReg(off + uint64(i))
	}
}

func (h byteHandler) Write(off uint64, p []byte) {
	for i := range p {
		h.regs.WriteReg(off+uint64(i), p[i])
	}
}
