package vmx

import (
	"fmt"
	"slices"
	"strings"
)

// Bits of IA32_VMX_EPT_VPID_CAP (SDM volume 3D, section A.10 "VPID and EPT
// Capabilities").
const (
	eptWalk4        = 1 << 6
	eptWriteBack    = 1 << 14
	ept2M           = 1 << 16
	ept1G           = 1 << 17
	eptINVEPT       = 1 << 20
	eptAccessed     = 1 << 21
	eptINVEPTSingle = 1 << 25
	eptINVEPTAll    = 1 << 26
	vpidINVVPID     = 1 << 32
	vpidSingle      = 1 << 41
	vpidAll         = 1 << 42
)

// eptCapabilities are the bits that this backend looks at, in the manual's
// order.
var eptCapabilities = [...]struct {
	name   string
	bit    uint64
	needed bool
}{
	{"page walks of length 4", eptWalk4, true},
	{"write-back paging structures", eptWriteBack, true},
	{"2-MByte EPT pages", ept2M, false},
	{"1-GByte EPT pages", ept1G, false},
	{"INVEPT", eptINVEPT, true},
	{"EPT accessed and dirty flags", eptAccessed, false},
	{"single-context INVEPT", eptINVEPTSingle, false},
	{"all-context INVEPT", eptINVEPTAll, false},
	{"INVVPID", vpidINVVPID, false},
	{"single-context INVVPID", vpidSingle, false},
	{"all-context INVVPID", vpidAll, false},
}

// buildEPT is the value of IA32_VMX_EPT_VPID_CAP less what counts as absent,
// if it has what the extended page tables here are made of.
func buildEPT(capability uint64, without []string) (uint64, error) {
	var missing []string
	v := capability
	for _, c := range eptCapabilities {
		if slices.Contains(without, c.name) {
			v &^= c.bit
		}
		if c.needed && v&c.bit == 0 {
			missing = append(missing, fmt.Sprintf("%q (bit mask %#x)", c.name, c.bit))
		}
	}
	switch {
	case missing != nil:
		return 0, fmt.Errorf("EPT without %s in IA32_VMX_EPT_VPID_CAP %#x: %w",
			strings.Join(missing, ", "), capability, ErrNoControl)
	case v&(eptINVEPTSingle|eptINVEPTAll) == 0:
		return 0, fmt.Errorf("INVEPT of no known type in IA32_VMX_EPT_VPID_CAP %#x: %w", capability, ErrNoControl)
	}
	return v, nil
}
