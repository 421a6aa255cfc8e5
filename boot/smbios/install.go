package smbios

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ringo/boot/layout"
	"ringo/memory"
)

// ErrConfig says that no structures can be made for that machine.
var ErrConfig = errors.New("SMBIOS structures")

// Config is what the structures say of the machine.
type Config struct {
	// Name is the VM's name, shown as the serial number.
	Name string
	// UUID identifies the VM; its bytes in the order in which it is printed.
	UUID  [16]byte
	VCPUs int
	// Version is Ringo's version.
	Version string
}

// The entry point, and where the structures start after it.
const (
	anchor        = "_SM3_"
	entrySize     = 0x18
	entryChecksum = 5
	entryMajor    = 3
	entryMinor    = 2
	entryRevision = 1
	tableOffset   = 0x20
)

const (
	manufacturer = "Ringo"
	releaseDate  = "01/01/2026"
)

// entryPoint is the SMBIOS 3.0 (64-bit) Entry Point.
type entryPoint struct {
	Anchor              [5]byte
	Checksum            uint8
	Length              uint8
	Major, Minor        uint8
	DocRev              uint8
	EntryPointRevision  uint8
	_                   uint8
	StructureTableSize  uint32
	StructureTableStart uint64
}

// Install writes the entry point and the structures into the BIOS area.
func Install(mem memory.Guest, l *layout.Layout, c Config) error {
	if c.VCPUs < 1 || c.VCPUs > 0xFFFF {
		return fmt.Errorf("%w: %d processors asked; give 1 to 65535", ErrConfig, c.VCPUs)
	}
	t := build(l, c)
	if t.err != nil {
		return t.err
	}
	if len(t.b)+tableOffset > layout.SMBIOSSize {
		return fmt.Errorf("%w: %d bytes do not fit in the BIOS area", ErrConfig, len(t.b))
	}
	at := layout.SMBIOSBase + tableOffset
	if err := mem.WriteAt(t.b, at); err != nil {
		return err
	}
	e, err := binary.Append(nil, binary.LittleEndian, entryPoint{
		Anchor: [5]byte([]byte(anchor)), Length: entrySize,
		Major: entryMajor, Minor: entryMinor, EntryPointRevision: entryRevision,
		StructureTableSize: uint32(len(t.b)), StructureTableStart: uint64(at),
	})
	if err != nil {
		return err
	}
	var sum byte
	for _, b := range e {
		sum += b
	}
	e[entryChecksum] = -sum
	return mem.WriteAt(e, layout.SMBIOSBase)
}

// build makes the structures.
func build(l *layout.Layout, c Config) *table {
	t := new(table)
	t.add(typeBIOS, 0, bios{
		Vendor: 1, Version: 2, ReleaseDate: 3,
		StartingAddressSegment:   uint16(layout.BIOSBase >> 4),
		Characteristics:          biosNotSupported,
		CharacteristicsExtension: [2]uint8{0, biosExtVirtual},
		ECMajorRelease:           ecNone, ECMinorRelease: ecNone,
	}, manufacturer, c.Version, releaseDate)
	t.add(typeSystem, 0, system{
		Manufacturer: 1, ProductName: 2, Version: 3, SerialNumber: 4,
		UUID: wireUUID(c.UUID), WakeUpType: wakePowerSwitch,
	}, manufacturer, "Ringo virtual machine", layout.Machine, c.Name)
	t.add(typeChassis, 0, chassis{
		Manufacturer: 1, Type: chassisOther, BootUpState: stateSafe,
		PowerSupplyState: stateSafe, ThermalState: stateSafe, SecurityStatus: unknown,
	}, manufacturer)
	addProcessor(t, c.VCPUs)
	addMemory(t, l)
	t.add(typeBoot, 0, bootInformation{})
	t.add(typeEnd, 0, nil)
	return t
}

// wireUUID gives the bytes as SMBIOS stores them: the first three fields
// little-endian.
func wireUUID(u [16]byte) [16]byte {
	return [16]byte{u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6],
		u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]}
}

// addProcessor describes the vCPUs as the cores of one processor.
func addProcessor(t *table, n int) {
	short := uint8(min(n, countInSecondWord))
	long := uint16(n)
	t.add(typeProcessor, 0, processor{
		SocketDesignation: 1, Type: processorCentral, Family: processorOther, Manufacturer: 2,
		Status: processorEnabled, Upgrade: processorOther, Family2: processorOther,
		L1Handle: noHandle, L2Handle: noHandle, L3Handle: noHandle,
		CoreCount: short, CoreEnabled: short, ThreadCount: short,
		CoreCount2: long, CoreEnabled2: long, ThreadCount2: long,
		Characteristics: processor64,
	}, "CPU 0", manufacturer)
}

// addMemory describes the RAM as one device in one array, mapped in one or
// two ranges.
func addMemory(t *table, l *layout.Layout) {
	var total uint64
	for _, r := range l.RAM {
		total += r.Size
	}
	t.add(typeMemoryArray, 0, memoryArray{
		Location: locationOther, Use: useSystemMemory, ErrorCorrection: correctNone,
		MaximumCapacity: useExtendedArray, ExtendedMaximumCapacity: total,
		ErrorInformation: handleNone, Devices: 1,
	})
	t.add(typeMemoryDevice, 0, memoryDevice{
		Array: handleMemoryArray, ErrorInformation: handleNone,
		TotalWidth: widthUnknown, DataWidth: widthUnknown,
		Size: useExtendedSize, ExtendedSize: uint32(total >> 20),
		FormFactor: formDIMM, DeviceLocator: 1, Type: memoryRAM, TypeDetail: detailOther,
		Manufacturer: 2,
	}, "DIMM 0", manufacturer)
	for i, r := range l.RAM {
		t.add(typeMappedAddress, uint8(i), mappedAddress{
			StartingAddress: useExtendedAddress, EndingAddress: useExtendedAddress,
			Array: handleMemoryArray, PartitionWidth: 1,
			ExtendedStartingAddress: uint64(r.Start), ExtendedEndingAddress: uint64(r.End() - 1),
		})
	}
}
