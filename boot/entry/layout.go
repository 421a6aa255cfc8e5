package entry

// Head layout, in offsets from the load address.
const (
	entry64Offset = 0x200 // fixed by the boot protocol
	stackOffset   = 0x1000
	stackSize     = 16 << 10
	stackTop      = stackOffset + stackSize
	headSize      = stackTop
)

// Boot page tables, in offsets from their start. Those of the second set
// differ from the first in the image's pages.
const (
	tablePML4  = 0x0000
	tablePDPT  = 0x1000
	tablePD    = 0x2000 // four, for 4 GiB
	tablePDPT2 = 0x6000
	tablePD2   = 0x7000 // four
	tablePT    = 0xb000 // one for each 2 MiB that the image touches
)

// layout says where everything lies, in offsets from the load address.
type layout struct {
	fileEnd   uint64 // end of what the loader reads from the file
	imageSize uint64 // image in memory, whole pages
	tables    uint64 // boot page tables
	end       uint64 // end of the reserved memory
	firstPT   uint64 // virtual address that the first PT maps
	pts       uint64 // number of PTs
}

func newLayout(p Payload) layout {
	l := layout{imageSize: alignUp(p.Size, pageSize)}
	// syssize counts 16-byte units.
	l.fileEnd = headSize + alignUp(uint64(len(p.Data)), 16)
	l.tables = headSize + l.imageSize
	l.firstPT = p.Virt / largePage * largePage
	l.pts = (alignUp(p.Virt+l.imageSize, largePage) - l.firstPT) / largePage
	l.end = l.tables + tablePT + l.pts*pageSize
	return l
}

// preferred is a load address at which no physical page of the image has the
// number of a virtual page of it.
func (l layout) preferred(p Payload) uint64 {
	return alignUp(p.Virt+l.imageSize, largePage)
}
