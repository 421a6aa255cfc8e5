package entry

import (
	"bytes"
	"encoding/binary"
)

// Offsets in the file and in boot_params (the zero page).
const (
	headerOffset      = 0x1f1
	headerJump        = 0x200
	headerEnd         = 0x26c // where the 16-bit code starts
	bootFlag          = 0xaa55
	headerMagic       = 0x53726448 // "HdrS"
	protocolVersion   = 0x020f
	protectedModeAddr = 0x100000
)

// Values of setupHeader.Loadflags and XLoadflags.
const (
	loadedHigh  = 1 << 0
	canUseHeap  = 1 << 7
	xlfKernel64 = 1 << 0
)

const (
	// commandLineMax is the longest command line that Ringo reads.
	commandLineMax = 4095
	// initrdMax is the highest address of an initrd byte: below 4 GiB, so that
	// the boot page tables reach it.
	initrdMax = 0xffff_ffff
	// heapEnd is unused: the setup code brings its stack and data with it.
	heapEnd = 0
)

// setupHeader is the setup header of protocol 2.15, from offset 0x1f1, in the
// documentation's order and names.
type setupHeader struct {
	SetupSects          uint8
	RootFlags           uint16
	Syssize             uint32
	RAMSize             uint16
	VidMode             uint16
	RootDev             uint16
	BootFlag            uint16
	Jump                [2]uint8
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
	XLoadflags          uint16
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

// newHeader fills the header. setupSize is the whole setup part in bytes,
// version the file offset of the version string, kernelInfo the head's offset
// of the kernel_info structure.
func newHeader(p Payload, l layout, setupSize int, version uint64, kernelInfo uint64) setupHeader {
	return setupHeader{
		SetupSects:        uint8(setupSize/512 - 1),
		Syssize:           uint32(l.fileEnd / 16),
		VidMode:           0xffff, // "normal"
		BootFlag:          bootFlag,
		Jump:              [2]uint8{0xeb, headerEnd - headerJump - 2},
		Header:            headerMagic,
		Version:           protocolVersion,
		KernelVersion:     uint16(version - headerJump),
		Loadflags:         loadedHigh | canUseHeap,
		Code32Start:       protectedModeAddr,
		HeapEndPtr:        heapEnd,
		InitrdAddrMax:     initrdMax,
		KernelAlignment:   pageSize,
		RelocatableKernel: 1,
		MinAlignment:      12,
		XLoadflags:        xlfKernel64,
		CmdlineSize:       commandLineMax,
		PrefAddress:       l.preferred(p),
		InitSize:          uint32(l.end),
		KernelInfoOffset:  uint32(kernelInfo),
	}
}

// put writes the header to its place in the image.
func (h setupHeader) put(image []byte) error {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, h); err != nil {
		return err
	}
	copy(image[headerOffset:headerEnd], b.Bytes())
	return nil
}
