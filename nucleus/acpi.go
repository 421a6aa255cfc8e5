package nucleus

// The few ACPI tables that the nucleus needs before Go runs: the MADT for
// processors and I/O APICs, the FADT for power-off and reset (ACPI
// specification 6.5, chapter 5 "ACPI Software Programming Model"). They are
// read through the direct map; every length is checked.

const maxIOAPICs = 16

type ioapicInfo struct {
	addr phys
	gsi  uint32
	regs uintptr
	pins uint32
}

type overrideInfo struct {
	irq   uint32
	gsi   uint32
	flags uint16
}

var acpi struct {
	apicIDs   [MaxCPUs]uint32
	nCPU      uint32
	ioapics   [maxIOAPICs]ioapicInfo
	nIOAPIC   uint32
	overrides [16]overrideInfo
	nOverride uint32
	fadt      uintptr
	dsdt      uintptr
}

func sig4(a, b, c, d byte) uint32 {
	return uint32(a) | uint32(b)<<8 | uint32(c)<<16 | uint32(d)<<24
}

// mapped says that [p, p+n) can be read through the direct map.
func mapped(p phys, n uintptr) bool {
	if p == 0 || uint64(p)+uint64(n) < uint64(p) || uint64(p)+uint64(n) > 1<<46 {
		return false
	}
	for v := physPtr(p) &^ (pageSize - 1); v < physPtr(p)+n; v += pageSize {
		if e := walk(v, 1, false); e != nil && *e&pteP != 0 {
			continue
		}
		if e := walk(v, 2, false); e != nil && *e&(pteP|ptePS) == pteP|ptePS {
			continue
		}
		return false
	}
	return true
}

// findRSDP looks where the BIOS puts it: the first KiB of the EBDA and the
// area from E0000H (ACPI 6.5, section 5.2.5.1).
func findRSDP() phys {
	if bootInfo.rsdp != 0 {
		return bootInfo.rsdp
	}
	ebda := phys(uint32(load8(physPtr(0x40e)))|uint32(load8(physPtr(0x40f)))<<8) << 4
	if p := scanRSDP(ebda, ebda+1024); p != 0 {
		return p
	}
	return scanRSDP(0xe0000, 0x100000)
}

func scanRSDP(from, to phys) phys {
	for p := from &^ 15; p+20 <= to && p != 0; p += 16 {
		v := physPtr(p)
		if load32(v) == sig4('R', 'S', 'D', ' ') && load32(v+4) == sig4('P', 'T', 'R', ' ') && checksum(v, 20) {
			return p
		}
	}
	return 0
}

func checksum(p, n uintptr) bool {
	var sum uint8
	for i := uintptr(0); i < n; i++ {
		sum += load8(p + i)
	}
	return sum == 0
}

// tableAt checks the table at p and returns its address and length, or 0.
func tableAt(p phys) (v, n uintptr) {
	if !mapped(p, 36) {
		return 0, 0
	}
	v = physPtr(p)
	n = uintptr(load32(v + 4))
	if n < 36 || n > 1<<24 || !mapped(p, n) || !checksum(v, n) {
		return 0, 0
	}
	return v, n
}

// readACPI fills acpi from the firmware's tables. Without them there is one
// processor and no device interrupt.
func readACPI() {
	rsdp := findRSDP()
	if rsdp == 0 || !mapped(rsdp, 36) {
		return
	}
	v := physPtr(rsdp)
	root, entry := phys(load32(v+16)), uintptr(4)
	if load8(v+15) >= 2 && load64(v+24) != 0 {
		root, entry = phys(load64(v+24)), 8
	}
	t, n := tableAt(root)
	if t == 0 {
		return
	}
	for off := uintptr(36); off+entry <= n; off += entry {
		p := phys(load32(t + off))
		if entry == 8 {
			p |= phys(load32(t+off+4)) << 32
		}
		readTable(p)
	}
}

func readTable(p phys) {
	t, n := tableAt(p)
	if t == 0 {
		return
	}
	switch load32(t) {
	case sig4('A', 'P', 'I', 'C'):
		readMADT(t, n)
	case sig4('F', 'A', 'C', 'P'):
		if n >= 116 {
			acpi.fadt = t
			acpi.dsdt, _ = tableAt(phys(load32(t + 40)))
		}
	}
}

func readMADT(t, n uintptr) {
	for off := uintptr(44); off+2 <= n; {
		kind, size := load8(t+off), uintptr(load8(t+off+1))
		if size < 2 || off+size > n {
			return
		}
		e := t + off
		switch {
		case kind == 0 && size >= 8: // processor local APIC
			addCPU(uint32(load8(e+3)), load32(e+4))
		case kind == 9 && size >= 16: // processor local x2APIC
			addCPU(load32(e+4), load32(e+8))
		case kind == 1 && size >= 12 && acpi.nIOAPIC < maxIOAPICs:
			acpi.ioapics[acpi.nIOAPIC] = ioapicInfo{addr: phys(load32(e + 4)), gsi: load32(e + 8)}
			acpi.nIOAPIC++
		case kind == 2 && size >= 10 && acpi.nOverride < uint32(len(acpi.overrides)):
			acpi.overrides[acpi.nOverride] = overrideInfo{uint32(load8(e + 3)), load32(e + 4), uint16(load32(e+8) & 0xffff)}
			acpi.nOverride++
		}
		off += size
	}
}

// addCPU notes an enabled processor once.
func addCPU(id, flags uint32) {
	if flags&1 == 0 || acpi.nCPU == MaxCPUs || id == cpus[0].apicID {
		return
	}
	for i := uint32(0); i < acpi.nCPU; i++ {
		if acpi.apicIDs[i] == id {
			return
		}
	}
	acpi.apicIDs[acpi.nCPU] = id
	acpi.nCPU++
}
