package nucleus

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	bootacpi "ringo/boot/acpi"
	"ringo/boot/boottest"
	"ringo/boot/layout"
)

// resetACPI forgets the firmware's tables; RAM below 2 GiB is in the direct
// map, and the calling CPU has APIC ID 0.
func resetACPI(t testing.TB) {
	resetTables()
	resetBoot()
	clearACPI()
	for p := phys(0); p < 2<<30; p += 2 << 20 {
		require.True(t, mapPage(directOff+uintptr(p), p, 1, pteRW|pteNX))
	}
}

func clearACPI() {
	acpi.nCPU, acpi.nIOAPIC, acpi.nOverride, acpi.fadt, acpi.dsdt = 0, 0, 0, 0, 0
	cpus[0].apicID = 0
}

// withSum makes the bytes of a table add up to zero.
func withSum(b []byte) []byte {
	var sum byte
	b[9] = 0
	for _, c := range b {
		sum += c
	}
	b[9] = -sum
	return b
}

// table makes a table of a body.
func table(signature string, body ...byte) []byte {
	b := make([]byte, 36, 36+len(body))
	copy(b, signature)
	b = append(b, body...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	return withSum(b)
}

// install puts the tables of a real machine into RAM, as its firmware does.
func install(t testing.TB, vcpus int) {
	l, err := layout.New(64 << 20)
	require.NoError(t, err)
	mem := boottest.NewMemory(l)
	_, err = bootacpi.Install(mem, l, bootacpi.Config{VCPUs: vcpus})
	require.NoError(t, err)
	for _, r := range mem.Runs() {
		copy(atRAM(phys(r.GPA)), r.Data)
	}
}

func TestReadACPI(t *testing.T) {
	for _, vcpus := range []int{1, 2, 255, 300, MaxCPUs, 1000} {
		resetACPI(t)
		install(t, vcpus)
		require.EqualValues(t, layout.RSDPBase, findRSDP(), "the scan finds it")
		readACPI()
		want := min(vcpus-1, MaxCPUs) // without this one
		require.EqualValues(t, want, acpi.nCPU)
		for i := range want {
			require.EqualValues(t, i+1, acpi.apicIDs[i])
		}
		require.EqualValues(t, 1, acpi.nIOAPIC)
		require.Equal(t, ioapicInfo{addr: phys(layout.IOAPICBase)}, acpi.ioapics[0])
		gsi, bits := routeISA(layout.PITIRQ)
		require.EqualValues(t, layout.PITGSI, gsi)
		require.Zero(t, bits)
		gsi, bits = routeISA(layout.SCIIRQ)
		require.EqualValues(t, layout.SCIIRQ, gsi)
		require.EqualValues(t, redirectLevel, bits, "active high, level")
		gsi, bits = routeISA(layout.COM1IRQ)
		require.EqualValues(t, layout.COM1IRQ, gsi, "no entry: as it is")
		require.Zero(t, bits)

		require.EqualValues(t, layout.PM1CntPort, load32(acpi.fadt+fadtPM1a))
		require.Zero(t, load32(acpi.fadt+fadtPM1b))
		require.NotZero(t, load32(acpi.fadt+fadtFlags)&resetSup)
		require.EqualValues(t, layout.ResetPort, load64(acpi.fadt+fadtReset+4))
		require.EqualValues(t, layout.ResetValue, load8(acpi.fadt+fadtResetTo))
		a, b, ok := sleepTypes()
		require.True(t, ok)
		require.EqualValues(t, layout.S5SleepType, a)
		require.Zero(t, b)
	}
}

func TestFindRSDPFromLoaderOrEBDA(t *testing.T) {
	resetACPI(t)
	install(t, 1)
	bootInfo.rsdp = 0x12340
	require.EqualValues(t, 0x12340, findRSDP(), "the loader's word comes first")
	bootInfo.rsdp = 0
	copy(atRAM(0x9fc10), atRAM(phys(layout.RSDPBase))[:36])
	put(t, 0x40e, uint16(0x9fc0))
	require.EqualValues(t, 0x9fc10, findRSDP())
	machine.ram[0x9fc12]++
	require.EqualValues(t, layout.RSDPBase, findRSDP(), "a wrong sum is passed over")
	mustClear(machine.ram[:1<<20])
	require.Zero(t, findRSDP())
	readACPI()
	require.Zero(t, acpi.nCPU)
}

// TestReadACPIFromRSDT is a machine of ACPI 1.0, without an XSDT.
func TestReadACPIFromRSDT(t *testing.T) {
	resetACPI(t)
	madt := table("APIC", append(make([]byte, 8), 0, 8, 0, 3, 1, 0, 0, 0)...)
	copy(atRAM(0x20_0000), madt)
	copy(atRAM(0x20_1000), table("RSDT", 0, 0, 0x20, 0, 0xff, 0xff, 0xff, 0x7f))
	rsdp := append([]byte("RSD PTR \x00RINGO \x00"), 0, 0x10, 0x20, 0)
	copy(atRAM(0xe0000), rsdp)
	bootInfo.rsdp = 0xe0000
	readACPI()
	require.Equal(t, []uint32{3}, acpi.apicIDs[:acpi.nCPU])
}

func TestTableAtRefuses(t *testing.T) {
	resetACPI(t)
	good := table("TEST", 1, 2, 3)
	at := func(p phys, b []byte) uintptr {
		copy(atRAM(p), b)
		v, _ := tableAt(p)
		return v
	}
	require.Equal(t, physPtr(0x1000), at(0x1000, good))
	length := func(n uint32) []byte {
		b := append([]byte(nil), good...)
		binary.LittleEndian.PutUint32(b[4:], n)
		return withSum(b)
	}
	for name, v := range map[string]uintptr{
		"address 0":      at(0, good),
		"checksum":       at(0x3000, append(good[:len(good)-1:len(good)-1], 9)),
		"length 0":       at(0x4000, length(0)),
		"short length":   at(0x5000, length(35)),
		"long length":    at(0x6000, length(1<<24+1)),
		"end unmapped":   at(2<<30-40, length(41)),
		"header beyond":  at(2<<30-8, good),
		"beyond the map": at(3<<30, good),
	} {
		require.Zero(t, v, name)
	}
	for _, p := range []phys{1 << 46, ^phys(0), ^phys(0) - 35, 1<<46 - 36} {
		require.False(t, mapped(p, 36), "%#x", p)
	}
}

// madtOf is what readMADT makes of entries.
func madtOf(t testing.TB, entries ...byte) {
	clearACPI()
	b := table("APIC", append(make([]byte, 8), entries...)...)
	readMADT(guarded(t, b), uintptr(len(b)))
}

func TestReadMADT(t *testing.T) {
	madtOf(t,
		0, 8, 9, 0, 1, 0, 0, 0, // this processor
		0, 8, 1, 4, 1, 0, 0, 0,
		0, 8, 2, 5, 0, 0, 0, 0, // disabled
		0, 8, 3, 4, 1, 0, 0, 0, // again
		77, 3, 0, // unknown
		9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
		2, 10, 0, 9, 20, 0, 0, 0, 0xf, 0,
		0, 4, 6, 6, // too short for its kind
		0, 8, 4, 7, 1, 0, 0, 0)
	require.Equal(t, []uint32{4, 0x100, 7}, acpi.apicIDs[:acpi.nCPU])
	gsi, bits := routeISA(9)
	require.EqualValues(t, 20, gsi)
	require.EqualValues(t, redirectLow|redirectLevel, bits)
}

func TestReadMADTTruncated(t *testing.T) {
	cpu := []byte{0, 8, 1, 4, 1, 0, 0, 0}
	for n := range len(cpu) {
		madtOf(t, cpu[:n]...)
		require.Zero(t, acpi.nCPU, "%d bytes", n)
	}
	madtOf(t, append([]byte{0, 0}, cpu...)...)
	require.Zero(t, acpi.nCPU, "an entry without length ends the list")
	madtOf(t, append(append([]byte(nil), cpu...), 0, 200)...)
	require.EqualValues(t, 1, acpi.nCPU)
}

func TestReadMADTOverflow(t *testing.T) {
	var entries []byte
	for i := range 2 * MaxCPUs {
		entries = append(entries, 9, 16, 0, 0, byte(i), byte(i>>8), 1, 0, 1, 0, 0, 0, 0, 0, 0, 0)
	}
	for i := range 40 {
		entries = append(entries, 1, 12, 0, 0, 0, 0, 0xc0, 0xfe, byte(i), 0, 0, 0)
		entries = append(entries, 2, 10, 0, byte(i), 0, 0, 0, 0, 0, 0)
	}
	madtOf(t, entries...)
	require.EqualValues(t, MaxCPUs, acpi.nCPU)
	require.EqualValues(t, maxIOAPICs, acpi.nIOAPIC)
	require.EqualValues(t, len(acpi.overrides), acpi.nOverride)
}

// FuzzACPI gives hostile bytes to each reader of tables. They end where memory
// ends, so that one byte too far is a fault.
func FuzzACPI(f *testing.F) {
	resetACPI(f)
	install(f, 3)
	readACPI()
	f.Add(peek(acpi.dsdt+36, uintptr(load32(acpi.dsdt+4))-36))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 1, 4, 1, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte("_S5_\x12\xff\xff\xff\xff\x04\x0a"))
	f.Add([]byte("_S5_\x12"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 512 {
			return
		}
		clearACPI()
		b := table("APIC", body...)
		at := guarded(t, b)
		readMADT(at, uintptr(len(b)))
		require.LessOrEqual(t, acpi.nCPU, uint32(MaxCPUs))
		acpi.fadt, acpi.dsdt = at, at
		sleepTypes()

		// The same bytes as a list of tables, after which lie more of them.
		resetACPI(t)
		const root, rsdp = 0x20_0000, 0x1000
		copy(atRAM(root), table("XSDT", body...))
		copy(atRAM(0x30_0000), body)
		put(t, rsdp+15, uint8(2))
		put(t, rsdp+24, uint64(root))
		bootInfo.rsdp = rsdp
		readACPI()
	})
}
