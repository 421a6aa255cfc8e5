package boottest

import "encoding/binary"

// BzImage is what a made Linux image says of itself. Zero fields get the
// values of an ordinary 64-bit kernel.
type BzImage struct {
	Version       uint16
	Loadflags     uint8
	Xloadflags    uint16
	InitrdAddrMax uint32
	CmdlineSize   uint32
	PrefAddress   uint64
	InitSize      uint32
	SetupSects    uint8
	// Code is the protected-mode part.
	Code []byte
}

// Bytes makes the file.
func (k BzImage) Bytes() []byte {
	const sector, jump = 512, 0x6A
	or := func(p, v uint64) uint64 {
		if p == 0 {
			return v
		}
		return p
	}
	sects := int(or(uint64(k.SetupSects), 4))
	b := make([]byte, (sects+1)*sector, (sects+1)*sector+len(k.Code))
	le := binary.LittleEndian
	b[0x1F1] = k.SetupSects
	le.PutUint32(b[0x1F4:], uint32((len(k.Code)+15)/16))
	le.PutUint16(b[0x1FE:], 0xAA55)
	b[0x200], b[0x201] = 0xEB, jump
	copy(b[0x202:], "HdrS")
	le.PutUint16(b[0x206:], uint16(or(uint64(k.Version), 0x20F)))
	b[0x211] = byte(or(uint64(k.Loadflags), 0x81))
	le.PutUint32(b[0x214:], 0x10_0000)
	le.PutUint32(b[0x22C:], uint32(or(uint64(k.InitrdAddrMax), 0x7FFF_FFFF)))
	le.PutUint32(b[0x230:], 0x20_0000)
	b[0x234] = 1
	le.PutUint16(b[0x236:], uint16(or(uint64(k.Xloadflags), 1)))
	le.PutUint32(b[0x238:], uint32(or(uint64(k.CmdlineSize), 2047)))
	le.PutUint64(b[0x258:], or(k.PrefAddress, 0x100_0000))
	le.PutUint32(b[0x260:], uint32(or(uint64(k.InitSize), 0x10_0000)))
	return append(b, k.Code...)
}
