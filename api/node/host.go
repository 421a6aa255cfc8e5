package node

import (
	"fmt"

	"ringo/hv"
)

// Host is what a node needs from the machine under it.
type Host struct {
	// HV runs the VMs. The node sets its Log.
	HV hv.Host
	// Memory is the number of bytes of RAM that all VMs together may take.
	// What a VM takes besides (tables, records) is left out of it already.
	Memory uint64
	// PowerOff turns the machine off. It returns only if that failed.
	PowerOff func()
}

func (h *Host) check() error {
	if h.PowerOff == nil {
		return fmt.Errorf("%w: it has no way to turn the machine off", ErrHost)
	}
	return nil
}
