package npt

import (
	"ringo/memory"
	"ringo/x86"
)

// Options are what the processor decides about the tables.
type Options struct {
	// PAT is the host's IA32_PAT, which the tables' memory types index; 0
	// stands for its value after RESET.
	PAT uint64
	// MaxPage is the largest page to use; 0 stands for
	// 2 MiB, which every processor with nested paging takes.
	MaxPage memory.PageSize
}

// New makes an empty nested page table.
func New(a memory.PageAllocator, o Options) (*memory.Table, error) {
	return memory.NewTable(Format(o), a)
}

// Format is the layout of the entries. The walk counts as a user's access at
// every level, so U/S is set in all of them (APM volume 2, section 15.25.5).
func Format(o Options) memory.Format {
	if o.PAT == 0 {
		o.PAT = x86.PATDefault
	}
	if o.MaxPage == 0 {
		o.MaxPage = memory.Page2M
	}
	const (
		read  = x86.PTEPresent | x86.PTEUser
		write = read | x86.PTEWrite
	)
	f := memory.Format{
		Name: "NPT",
		Rights: [memory.RWX + 1]uint64{
			0:                                        x86.PTENX,
			memory.Read:                              read | x86.PTENX,
			memory.Write:                             write | x86.PTENX,
			memory.Read | memory.Write:               write | x86.PTENX,
			memory.Exec:                              read,
			memory.Read | memory.Exec:                read,
			memory.Write | memory.Exec:               write,
			memory.Read | memory.Write | memory.Exec: write,
		},
		RightsMask:  write | x86.PTENX,
		Present:     x86.PTEPresent,
		Table:       write,
		Large:       x86.PTEPageSize,
		Accessed:    x86.PTEAccessed,
		Dirty:       x86.PTEDirty,
		AddressBits: 52,
		MaxPage:     o.MaxPage,
	}
	for i := 7; i >= 0; i-- {
		if t := o.PAT >> (8 * i) & 7; t <= uint64(memory.WriteBack) && t != 2 && t != 3 {
			f.Types[t], f.LargeTypes[t] = typeBits(i)
			f.TypesKnown |= 1 << t
		}
	}
	return f
}

// typeBits are the bits that select entry i of the PAT, in an entry of level
// 1 and in a larger page's.
func typeBits(i int) (small, large uint64) {
	if i&1 != 0 {
		small |= x86.PTEPWT
	}
	if i&2 != 0 {
		small |= x86.PTEPCD
	}
	large = small
	if i&4 != 0 {
		small |= x86.PTEPAT
		large |= x86.PTEPATLarge
	}
	return small, large
}
