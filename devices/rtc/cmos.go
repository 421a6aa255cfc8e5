package rtc

// Memory is what the CMOS memory tells software about the machine's RAM.
type Memory struct {
	Low  uint64 // bytes below 4 GiB
	High uint64 // bytes from 4 GiB on
}

// Locations that PC firmware keeps the memory size in, each 16 bits, little-
// endian.
const (
	locBaseMemory = 0x15 // KiB below 640 KiB
	locExtended   = 0x17 // KiB above 1 MiB, at most 65535
	locExtended2  = 0x30 // the same
	locAbove16M   = 0x34 // 64 KiB units above 16 MiB, below 4 GiB
	locAbove4G    = 0x5B // 64 KiB units above 4 GiB, 24 bits
	locEquipment  = 0x14
	locChecksum   = 0x2E // of 10H to 2DH, big-endian
	equipmentFPU  = 1 << 1
	baseKiB       = 640
)

func (m Memory) fill(mem *[numLocations]uint8) {
	put := func(loc int, n int, v uint64) {
		v = min(v, 1<<(8*n)-1)
		for i := range n {
			mem[loc+i] = uint8(v >> (8 * i))
		}
	}
	put(locBaseMemory, 2, min(baseKiB, m.Low>>10))
	put(locExtended, 2, above(m.Low, 1<<20)>>10)
	put(locExtended2, 2, above(m.Low, 1<<20)>>10)
	put(locAbove16M, 2, above(m.Low, 16<<20)>>16)
	put(locAbove4G, 3, m.High>>16)
	mem[locEquipment] = equipmentFPU
	sum := uint16(0)
	for _, v := range mem[0x10:locChecksum] {
		sum += uint16(v)
	}
	mem[locChecksum], mem[locChecksum+1] = uint8(sum>>8), uint8(sum)
}

func above(n, start uint64) uint64 {
	if n < start {
		return 0
	}
	return n - start
}
