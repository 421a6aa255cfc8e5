package main

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"strings"

	"ringo/hv/vcpu"
	"ringo/nucleus"
	"ringo/nucleus/reg"
)

// banner tells what the machine has.
func banner(b vcpu.Backend, why error) string {
	var s strings.Builder
	m := nucleus.Memory()
	fmt.Fprintf(&s, "\nRingo %s, a hypervisor\n", version())
	fmt.Fprintf(&s, "  processor   %s, %d CPUs at %d MHz\n", brand(), nucleus.CPUs(), nucleus.TSCFrequency()/1_000_000)
	fmt.Fprintf(&s, "  memory      %d MiB, %d MiB free for VMs\n", m.Total>>20, memoryForVMs()>>20)
	if b == nil {
		fmt.Fprintf(&s, "  VMs         cannot run: %v\n", why)
	} else {
		c := b.Caps()
		fmt.Fprintf(&s, "  VMs         %s: %s; %d address space IDs, %d-bit guest-physical addresses\n",
			b.Name(), strings.Join(c.Features, ", "), c.ASIDs, c.PhysAddrBits)
	}
	fmt.Fprintf(&s, "  started     %d ms after the boot loader\n", nucleus.SinceEntry()*1000/nucleus.TSCFrequency())
	s.WriteString("Type help for the commands.\n")
	return s.String()
}

// version is the commit that the image was built from, if the build knew it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown version)"
	}
	for _, kv := range info.Settings {
		if kv.Key == "vcs.revision" && len(kv.Value) >= 12 {
			return kv.Value[:12]
		}
	}
	return "(development)"
}

// brand is the processor's name (CPUID leaves 80000002H to 80000004H).
func brand() string {
	const first, last = 0x80000002, 0x80000004
	if top, _, _, _ := reg.CPUID(0x80000000, 0); top < last {
		return "unknown processor"
	}
	var text []byte
	for leaf := uint32(first); leaf <= last; leaf++ {
		a, b, c, d := reg.CPUID(leaf, 0)
		for _, v := range [...]uint32{a, b, c, d} {
			text = binary.LittleEndian.AppendUint32(text, v)
		}
	}
	return strings.Join(strings.Fields(strings.TrimRight(string(text), "\x00")), " ")
}
