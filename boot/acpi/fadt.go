package acpi

import (
	"ringo/boot/layout"
	"ringo/memory"
)

// Revision of the FADT, which is also the version of the specification that
// the tables follow.
const (
	fadtMajor = 6
	fadtMinor = 3
)

// gas is a Generic Address Structure.
type gas struct {
	AddressSpaceID    uint8
	RegisterBitWidth  uint8
	RegisterBitOffset uint8
	AccessSize        uint8
	Address           uint64
}

const spaceIO = 1 // System I/O space

// ioRegister describes a register of n bytes at a port.
func ioRegister(port uint64, n, access uint8) gas {
	return gas{AddressSpaceID: spaceIO, RegisterBitWidth: 8 * n, AccessSize: access, Address: port}
}

// Access sizes of a gas.
const (
	accessByte  = 1
	accessWord  = 2
	accessDWord = 3
)

// Bits of Flags ("Fixed ACPI Description Table Fixed Feature Flags").
const (
	flagWBINVD      = 1 << 0
	flagProcC1      = 1 << 2
	flagSlpButton   = 1 << 5 // set: no fixed sleep button
	flagFixRTC      = 1 << 6 // set: RTC wake is not in the fixed registers
	flagTmrValExt   = 1 << 8 // the PM timer has 32 bits
	flagResetRegSup = 1 << 10
)

// Bits of IAPCBootArch ("IA-PC Boot Architecture Flags").
const (
	bootLegacyDevices = 1 << 0
	bootNoVGA         = 1 << 2
	bootNoASPM        = 1 << 4
)

// Latencies that say that a C state does not exist.
const (
	noC2 = 101
	noC3 = 1001
)

// fadt is the Fixed ACPI Description Table after its header ("FADT Format").
type fadt struct {
	FirmwareCtrl     uint32
	DSDT             uint32
	_                uint8
	PreferredPM      uint8
	SCIInt           uint16
	SMICmd           uint32
	ACPIEnable       uint8
	ACPIDisable      uint8
	S4BIOSReq        uint8
	PStateCnt        uint8
	PM1aEvtBlk       uint32
	PM1bEvtBlk       uint32
	PM1aCntBlk       uint32
	PM1bCntBlk       uint32
	PM2CntBlk        uint32
	PMTmrBlk         uint32
	GPE0Blk          uint32
	GPE1Blk          uint32
	PM1EvtLen        uint8
	PM1CntLen        uint8
	PM2CntLen        uint8
	PMTmrLen         uint8
	GPE0BlkLen       uint8
	GPE1BlkLen       uint8
	GPE1Base         uint8
	CSTCnt           uint8
	PLvl2Lat         uint16
	PLvl3Lat         uint16
	FlushSize        uint16
	FlushStride      uint16
	DutyOffset       uint8
	DutyWidth        uint8
	DayAlrm          uint8
	MonAlrm          uint8
	Century          uint8
	IAPCBootArch     uint16
	_                uint8
	Flags            uint32
	ResetReg         gas
	ResetValue       uint8
	ARMBootArch      uint16
	MinorVersion     uint8
	XFirmwareCtrl    uint64
	XDSDT            uint64
	XPM1aEvtBlk      gas
	XPM1bEvtBlk      gas
	XPM1aCntBlk      gas
	XPM1bCntBlk      gas
	XPM2CntBlk       gas
	XPMTmrBlk        gas
	XGPE0Blk         gas
	XGPE1Blk         gas
	SleepControlReg  gas
	SleepStatusReg   gas
	HypervisorVendor [8]byte
}

// Lengths of the register blocks in bytes.
const (
	pm1EvtLen = 4
	pm1CntLen = 2
	pmTmrLen  = 4
)

// newFADT makes the FADT that points at the FACS and DSDT, both below 4 GiB.
func newFADT(facs, dsdt memory.GPA) ([]byte, error) {
	return table("FACP", fadtMajor, fadt{
		FirmwareCtrl: uint32(facs),
		DSDT:         uint32(dsdt),
		SCIInt:       layout.SCIIRQ,
		PM1aEvtBlk:   layout.PM1EventPort,
		PM1aCntBlk:   layout.PM1CntPort,
		PMTmrBlk:     layout.PMTimerPort,
		PM1EvtLen:    pm1EvtLen,
		PM1CntLen:    pm1CntLen,
		PMTmrLen:     pmTmrLen,
		PLvl2Lat:     noC2,
		PLvl3Lat:     noC3,
		Century:      layout.RTCCentury,
		IAPCBootArch: bootLegacyDevices | bootNoVGA | bootNoASPM,
		Flags: flagWBINVD | flagProcC1 | flagSlpButton | flagFixRTC |
			flagTmrValExt | flagResetRegSup,
		ResetReg:         ioRegister(layout.ResetPort, 1, accessByte),
		ResetValue:       layout.ResetValue,
		MinorVersion:     fadtMinor,
		XDSDT:            uint64(dsdt),
		XPM1aEvtBlk:      ioRegister(layout.PM1EventPort, pm1EvtLen, accessWord),
		XPM1aCntBlk:      ioRegister(layout.PM1CntPort, pm1CntLen, accessWord),
		XPMTmrBlk:        ioRegister(layout.PMTimerPort, pmTmrLen, accessDWord),
		HypervisorVendor: [8]byte([]byte("RINGO\x00\x00\x00")),
	})
}

// facs is the Firmware ACPI Control Structure, which has no common header.
type facs struct {
	Signature             [4]byte
	Length                uint32
	HardwareSignature     uint32
	FirmwareWakingVector  uint32
	GlobalLock            uint32
	Flags                 uint32
	XFirmwareWakingVector uint64
	Version               uint8
	_                     [3]byte
	OSPMFlags             uint32
	_                     [24]byte
}

const (
	facsSize    = 64
	facsVersion = 2
)

// newFACS makes the FACS.
func newFACS() ([]byte, error) {
	return encode(facs{Signature: [4]byte([]byte("FACS")), Length: facsSize, Version: facsVersion})
}
