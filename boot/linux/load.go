package linux

import (
	"fmt"

	"ringo/boot/image"
	"ringo/boot/layout"
	"ringo/memory"
	"ringo/x86"
)

// entry64 is the offset of the 64-bit entry in the protected-mode part; the
// 32-bit entry is at its start.
const entry64 = 0x200

// Load puts the kernel, its initrd and command line into guest memory.
func Load(r *image.Request) (*image.Entry, error) {
	k, err := parse(r.Kernel)
	if err != nil {
		return nil, err
	}
	plan := image.NewPlan(r.Layout)
	at, err := plan.Claim("the Linux kernel", k.address(), max(uint64(k.header.InitSize), k.size))
	if err != nil {
		return nil, err
	}
	if at.End() > layout.HoleStart {
		return nil, fmt.Errorf("%w: the kernel wants %v, its entry is mapped below %#x only",
			image.ErrUnsupported, at, uint64(layout.HoleStart))
	}
	if err := image.Copy(r.Memory, at.Start, r.Kernel, k.setup, k.size); err != nil {
		return nil, fmt.Errorf("the Linux kernel: %w", err)
	}
	if err := r.WriteCmdline(uint64(k.header.CmdlineSize)); err != nil {
		return nil, err
	}
	initrd, err := r.LoadInitrd(plan, initrdLimit(k))
	if err != nil {
		return nil, err
	}
	params, err := k.params(r.Layout, initrd)
	if err != nil {
		return nil, err
	}
	if err := r.Memory.WriteAt(params, image.InfoBase); err != nil {
		return nil, err
	}
	return k.enter(r.Memory, at.Start)
}

// initrdLimit is the first address that the initrd may not use. RamdiskImage
// has 32 bits, so nothing goes above the hole.
func initrdLimit(k *kernel) memory.GPA {
	return min(memory.GPA(k.header.InitrdAddrMax)+1, layout.HoleStart)
}

// enter makes the state at the kernel's first instruction.
func (k *kernel) enter(mem memory.Guest, at memory.GPA) (*image.Entry, error) {
	e := &image.Entry{Protocol: "Linux 64-bit"}
	var err error
	if k.header.Xloadflags&xlfKernel64 != 0 {
		e.State, err = image.Long(mem, at+entry64)
	} else {
		e.Protocol = "Linux 32-bit"
		e.State, err = image.Protected(mem, uint32(at))
	}
	if err != nil {
		return nil, err
	}
	e.State.GPR[x86.RSI] = uint64(image.InfoBase)
	return e, nil
}
