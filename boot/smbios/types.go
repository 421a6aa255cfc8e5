package smbios

// The formatted parts after the 4 bytes of header, in the order of their
// types. A string field holds the number of a string, 0 for none.

// bios is BIOS Information (type 0).
type bios struct {
	Vendor, Version          uint8
	StartingAddressSegment   uint16
	ReleaseDate              uint8
	ROMSize                  uint8
	Characteristics          uint64
	CharacteristicsExtension [2]uint8
	MajorRelease             uint8
	MinorRelease             uint8
	ECMajorRelease           uint8
	ECMinorRelease           uint8
	ExtendedROMSize          uint16
}

const (
	biosNotSupported = 1 << 3 // BIOS characteristics are not supported
	biosExtVirtual   = 1 << 4 // second extension byte: a virtual machine
	ecNone           = 0xFF
)

// system is System Information (type 1).
type system struct {
	Manufacturer, ProductName, Version, SerialNumber uint8
	UUID                                             [16]byte
	WakeUpType                                       uint8
	SKUNumber, Family                                uint8
}

const wakePowerSwitch = 6

// chassis is System Enclosure or Chassis (type 3).
type chassis struct {
	Manufacturer                                      uint8
	Type                                              uint8
	Version, SerialNumber, AssetTag                   uint8
	BootUpState, PowerSupplyState, ThermalState       uint8
	SecurityStatus                                    uint8
	OEMDefined                                        uint32
	Height, PowerCords, Elements, ElementRecordLength uint8
	SKUNumber                                         uint8
}

const (
	chassisOther = 1
	stateSafe    = 3
	unknown      = 2
)

// processor is Processor Information (type 4).
type processor struct {
	SocketDesignation, Type, Family, Manufacturer uint8
	ID                                            uint64
	Version, Voltage                              uint8
	ExternalClock, MaxSpeed, CurrentSpeed         uint16
	Status, Upgrade                               uint8
	L1Handle, L2Handle, L3Handle                  uint16
	SerialNumber, AssetTag, PartNumber            uint8
	CoreCount, CoreEnabled, ThreadCount           uint8
	Characteristics, Family2                      uint16
	CoreCount2, CoreEnabled2, ThreadCount2        uint16
}

const (
	processorCentral  = 3
	processorEnabled  = 0x41 // socket populated, CPU enabled
	processorOther    = 1    // family and upgrade
	processor64       = 1<<2 | 1<<3
	noHandle          = 0xFFFF
	countInSecondWord = 0xFF // a count above 254 is in the 16-bit field
)

// memoryArray is Physical Memory Array (type 16).
type memoryArray struct {
	Location, Use, ErrorCorrection uint8
	MaximumCapacity                uint32 // KiB, or useExtended
	ErrorInformation               uint16
	Devices                        uint16
	ExtendedMaximumCapacity        uint64 // bytes
}

const (
	locationOther    = 1
	useSystemMemory  = 3
	correctNone      = 3
	useExtendedArray = 0x8000_0000
)

// memoryDevice is Memory Device (type 17).
type memoryDevice struct {
	Array, ErrorInformation                          uint16
	TotalWidth, DataWidth                            uint16 // bits
	Size                                             uint16 // MiB, or useExtendedSize
	FormFactor, DeviceSet                            uint8
	DeviceLocator, BankLocator                       uint8
	Type                                             uint8
	TypeDetail                                       uint16
	Speed                                            uint16
	Manufacturer, SerialNumber, AssetTag, PartNumber uint8
	Attributes                                       uint8
	ExtendedSize                                     uint32 // MiB
	ConfiguredSpeed                                  uint16
	MinVoltage, MaxVoltage, ConfiguredVoltage        uint16
}

const (
	widthUnknown    = 0xFFFF
	useExtendedSize = 0x7FFF
	formDIMM        = 9
	memoryRAM       = 7
	detailOther     = 1 << 1
)

// mappedAddress is Memory Array Mapped Address (type 19).
type mappedAddress struct {
	StartingAddress, EndingAddress                 uint32 // KiB, or useExtendedAddress
	Array                                          uint16
	PartitionWidth                                 uint8
	ExtendedStartingAddress, ExtendedEndingAddress uint64 // bytes; the last byte
}

const useExtendedAddress = 0xFFFF_FFFF

// bootInformation is System Boot Information (type 32).
type bootInformation struct {
	_      [6]uint8
	Status uint8 // 0: no errors detected
}
