package linux

import (
	"encoding/binary"
	"fmt"

	"ringo/boot/image"
)

// Offsets in the first two sectors of a bzImage.
const (
	headerOffset = 0x1F1 // setup_sects, the first field of the setup header
	jumpOffset   = 0x200
	magicOffset  = 0x202
	sector       = 512
	// headSize is how much of the file holds the longest header: the jump's
	// signed byte reaches 0x202 + 0x7F.
	headSize = magicOffset + 0x7F
)

const (
	bootFlag     = 0xAA55
	headerMagic  = 0x5372_6448 // "HdrS"
	minVersion   = 0x020C      // the first with xloadflags: Linux 3.8
	defaultSects = 4           // what setup_sects of 0 means
	paragraph    = 16          // unit of syssize
)

// Bits of loadflags.
const (
	loadedHigh = 1 << 0
	canUseHeap = 1 << 7
)

// Bits of xloadflags.
const (
	xlfKernel64 = 1 << 0
)

// setupHeader is the setup header from offset 0x1F1 in the file, in the order
// of the protocol's table "Details of Header Fields".
type setupHeader struct {
	SetupSects          uint8
	RootFlags           uint16
	Syssize             uint32
	RAMSize             uint16
	VidMode             uint16
	RootDev             uint16
	BootFlag            uint16
	Jump                uint16
	Header              uint32
	Version             uint16
	RealmodeSwtch       uint32
	StartSysSeg         uint16
	KernelVersion       uint16
	TypeOfLoader        uint8
	Loadflags           uint8
	SetupMoveSize       uint16
	Code32Start         uint32
	RamdiskImage        uint32
	RamdiskSize         uint32
	BootsectKludge      uint32
	HeapEndPtr          uint16
	ExtLoaderVer        uint8
	ExtLoaderType       uint8
	CmdLinePtr          uint32
	InitrdAddrMax       uint32
	KernelAlignment     uint32
	RelocatableKernel   uint8
	MinAlignment        uint8
	Xloadflags          uint16
	CmdlineSize         uint32
	HardwareSubarch     uint32
	HardwareSubarchData uint64
	PayloadOffset       uint32
	PayloadLength       uint32
	SetupData           uint64
	PrefAddress         uint64
	InitSize            uint32
	HandoverOffset      uint32
	KernelInfoOffset    uint32
}

// IsImage says whether the start of a file, at least 518 bytes of it, is a
// Linux kernel's.
func IsImage(head []byte) bool {
	return len(head) >= magicOffset+4 &&
		binary.LittleEndian.Uint32(head[magicOffset:]) == headerMagic
}

// kernel is a checked bzImage.
type kernel struct {
	header setupHeader
	// raw is the setup header as the file has it, zero after its end: a later
	// protocol's fields go to the kernel as they are.
	raw []byte
	// setup is how many bytes precede the protected-mode part.
	setup int64
	// size is how many bytes the protected-mode part has in the file.
	size uint64
}

// parse reads and checks the setup header.
func parse(f image.File) (*kernel, error) {
	head := make([]byte, headSize)
	if err := image.ReadFull(f, head, 0); err != nil {
		return nil, fmt.Errorf("the Linux setup header: %w", err)
	}
	if !IsImage(head) {
		return nil, fmt.Errorf("%w: a Linux bzImage was asked for, offset %#x holds % x and not \"HdrS\"",
			image.ErrFormat, magicOffset, head[magicOffset:magicOffset+4])
	}
	clear(head[min(headSize, magicOffset+int(head[jumpOffset+1])):])
	k := &kernel{raw: head[headerOffset:]}
	if _, err := binary.Decode(k.raw, binary.LittleEndian, &k.header); err != nil {
		return nil, err
	}
	if err := k.check(); err != nil {
		return nil, err
	}
	return k, k.measure(f.Size())
}

// check refuses kernels that the protocol's 32 and 64-bit entries do not
// cover.
func (k *kernel) check() error {
	h := &k.header
	switch {
	case h.BootFlag != bootFlag:
		return fmt.Errorf("%w: boot_flag is %#x, not %#x; the bzImage is damaged", image.ErrFormat, h.BootFlag, bootFlag)
	case h.Version < minVersion:
		return fmt.Errorf("%w: boot protocol %d.%02d; 2.12 (Linux 3.8) or later is needed",
			image.ErrUnsupported, h.Version>>8, h.Version&0xFF)
	case h.Loadflags&loadedHigh == 0:
		return fmt.Errorf("%w: the kernel is a zImage, loaded below 1 MiB; build a bzImage", image.ErrUnsupported)
	case h.InitSize == 0 || h.CmdlineSize == 0:
		return fmt.Errorf("%w: init_size is %d and cmdline_size %d; the bzImage is damaged",
			image.ErrFormat, h.InitSize, h.CmdlineSize)
	}
	return nil
}

// measure finds the protected-mode part in a file of n bytes. What follows
// it, a signature, is loaded with it: the kernel does not look.
func (k *kernel) measure(n int64) error {
	sects := int64(k.header.SetupSects)
	if sects == 0 {
		sects = defaultSects
	}
	k.setup = (sects + 1) * sector
	want := int64(k.header.Syssize)*paragraph - (paragraph - 1)
	if n <= k.setup || n-k.setup < want {
		return fmt.Errorf("%w: setup_sects and syssize promise %d bytes, the file has %d; copy the kernel again",
			image.ErrTruncated, k.setup+want, n)
	}
	k.size = uint64(n - k.setup)
	return nil
}

// address is where the protected-mode part is loaded.
func (k *kernel) address() uint64 {
	if k.header.PrefAddress != 0 {
		return k.header.PrefAddress
	}
	return uint64(k.header.Code32Start)
}
