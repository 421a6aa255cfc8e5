package cpuid

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ringo/hv/vcpu"
	"ringo/x86"
)

// ErrDiffers says that a guest would see another processor than before.
var ErrDiffers = errors.New("CPUID differs")

// Compare refuses a table that is not what the guest of a snapshot has seen.
// What is most likely and tells most is named first: features, MAXPHYADDR,
// XSAVE components, and else the leaf. The frequencies are not compared.
func Compare(saved, here []vcpu.CPUIDEntry) error {
	missing, added := featureDiff(saved, here), featureDiff(here, saved)
	if len(missing) != 0 {
		return fmt.Errorf("%w: the guest has seen features that this VM lacks: %s", ErrDiffers, strings.Join(missing, ", "))
	}
	if len(added) != 0 {
		return fmt.Errorf("%w: this VM has features that the guest has not seen: %s: a baseline would leave them out",
			ErrDiffers, strings.Join(added, ", "))
	}
	was, is := Lookup(saved, x86.CPUIDAddressSizes, 0).EAX&0xFF, Lookup(here, x86.CPUIDAddressSizes, 0).EAX&0xFF
	if was != is {
		return fmt.Errorf("%w: MAXPHYADDR is %d in the snapshot and %d here", ErrDiffers, was, is)
	}
	return errors.Join(compareEntries(saved, here), compareEntries(here, saved))
}

// featureDiff lists the features of a that b has not.
func featureDiff(a, b []vcpu.CPUIDEntry) (names []string) {
	for _, f := range x86.Features {
		if featureBits(a, f)&^featureBits(b, f) != 0 {
			names = append(names, f.Name)
		}
	}
	return names
}

// featureBits are those of a feature in a table.
func featureBits(table []vcpu.CPUIDEntry, f x86.Feature) uint32 {
	e := Lookup(table, f.Leaf, f.Subleaf)
	return [...]uint32{x86.EAX: e.EAX, x86.EBX: e.EBX, x86.ECX: e.ECX, x86.EDX: e.EDX}[f.Register] & f.Mask
}

// compareEntries finds the first entry of a that b answers in another way.
func compareEntries(a, b []vcpu.CPUIDEntry) error {
	i := slices.IndexFunc(a, func(e vcpu.CPUIDEntry) bool {
		o := Lookup(b, e.Leaf, e.Subleaf)
		return e.Leaf != x86.CPUIDHypervisorTimes && (e.EAX != o.EAX || e.EBX != o.EBX || e.ECX != o.ECX || e.EDX != o.EDX)
	})
	if i < 0 {
		return nil
	}
	e := a[i]
	o := Lookup(b, e.Leaf, e.Subleaf)
	if e.Leaf == x86.CPUIDXSAVE && e.Subleaf > 1 {
		return fmt.Errorf("%w: XSAVE component %d has %d bytes at %d on one side and %d at %d on the other",
			ErrDiffers, e.Subleaf, e.EAX, e.EBX, o.EAX, o.EBX)
	}
	return fmt.Errorf("%w: leaf %#x.%d is %#x %#x %#x %#x on one side and %#x %#x %#x %#x on the other",
		ErrDiffers, e.Leaf, e.Subleaf, e.EAX, e.EBX, e.ECX, e.EDX, o.EAX, o.EBX, o.ECX, o.EDX)
}
