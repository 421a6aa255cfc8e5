package ept

import "ringo/memory"

// Bits of an EPT entry (SDM volume 3C, tables "Format of an EPT Page-Table
// Entry that Maps a 4-KByte Page" and its neighbours).
const (
	Read         = 1 << 0
	Write        = 1 << 1
	Execute      = 1 << 2
	TypeShift    = 3 // bits 5:3: EPT memory type
	IgnorePAT    = 1 << 6
	PageSize     = 1 << 7 // an entry of level 2 or 3 that maps a page
	AccessedFlag = 1 << 8
	DirtyFlag    = 1 << 9
)

// Options are what the processor and the VM decide about the tables.
type Options struct {
	// IgnorePAT lets the guest's PAT have no say in the memory type. It suits
	// a VM without passed-through devices.
	IgnorePAT bool
	// MaxPage is the largest page that IA32_VMX_EPT_VPID_CAP allows; 0 stands
	// for 4 KiB.
	MaxPage memory.PageSize
}

// New makes an empty extended page table.
func New(a memory.PageAllocator, o Options) (*memory.Table, error) {
	return memory.NewTable(Format(o), a)
}

// Format is the layout of the entries. What the processor would take for a
// misconfiguration cannot be made with it: there is no write without read, no
// reserved memory type, and execute-only, which not every processor has,
// becomes read and execute.
func Format(o Options) memory.Format {
	if o.MaxPage == 0 {
		o.MaxPage = memory.Page4K
	}
	f := memory.Format{
		Name: "EPT",
		Rights: [memory.RWX + 1]uint64{
			memory.Read:                              Read,
			memory.Write:                             Read | Write,
			memory.Read | memory.Write:               Read | Write,
			memory.Exec:                              Read | Execute,
			memory.Read | memory.Exec:                Read | Execute,
			memory.Write | memory.Exec:               Read | Write | Execute,
			memory.Read | memory.Write | memory.Exec: Read | Write | Execute,
		},
		RightsMask:  Read | Write | Execute,
		Present:     Read | Write | Execute,
		Table:       Read | Write | Execute,
		Large:       PageSize,
		Accessed:    AccessedFlag,
		Dirty:       DirtyFlag,
		AddressBits: 52,
		MaxPage:     o.MaxPage,
	}
	types := []memory.Type{memory.Uncacheable, memory.WriteCombining,
		memory.WriteThrough, memory.WriteProtected, memory.WriteBack}
	for _, t := range types {
		bits := uint64(t) << TypeShift
		if o.IgnorePAT {
			bits |= IgnorePAT
		}
		f.Types[t], f.LargeTypes[t] = bits, bits
		f.TypesKnown |= 1 << t
	}
	return f
}
