package x86

// Values after RESET (SDM volume 3A, table "IA-32 and Intel 64 Processor
// States Following Power-up, Reset, or INIT"; APM volume 2, table "Initial
// Processor State").
const (
	CR0Reset   = CR0CD | CR0NW | CR0ET
	RIPReset   = 0xFFF0
	DR6Reset   = DR6Reserved
	DR7Reset   = DR7Reserved
	FCWReset   = 0x40
	MXCSRReset = 0x1F80
	// EDXReset has family 6 in the place where RESET leaves the processor's
	// signature; an owner with a CPUID policy stores leaf 1's EAX instead.
	EDXReset = 0x600

	csSelectorReset = 0xF000
	csBaseReset     = 0xFFFF0000
	limitReset      = 0xFFFF
)

// Reset gives s the state after RESET of a processor whose caches are off and
// which fetches its first instruction from FFFF_FFF0H.
func (s *State) Reset() {
	*s = State{
		PAT:  PATDefault,
		XCR0: XCR0X87,
	}
	s.resetCommon(CR0Reset)
	s.XSAVE[XSaveFCW] = FCWReset & 0xFF
	// The full tag word 5555H, "zero", is FFH in the abridged form.
	s.XSAVE[XSaveFTW] = 0xFF
	putLE(s.XSAVE[XSaveMXCSR:], MXCSRReset, 4)
	// Both parts differ from their initial configuration, so that XRSTOR has
	// to load them.
	putLE(s.XSAVE[XSaveHeader:], XCR0X87|XCR0SSE, 8)
}

// Init gives s the state after INIT: as after RESET, but the caching bits of
// CR0, the floating-point and vector state, the TSC and the MSRs stay. The
// owner of an application processor sets Activity to ActivityWaitSIPI.
func (s *State) Init() {
	s.resetCommon(CR0ET | s.CR0&(CR0CD|CR0NW))
}

// StartUp makes s begin where a start-up IPI with this vector points: real
// mode at vector * 4 KiB.
func (s *State) StartUp(vector uint8) {
	s.Seg[CS].Selector = uint16(vector) << 8
	s.Seg[CS].Base = uint64(vector) << 12
	s.RIP = 0
	s.Activity = ActivityRunning
}

// resetCommon sets what RESET and INIT have in common.
func (s *State) resetCommon(cr0 uint64) {
	s.GPR = [NumGPR]uint64{RDX: EDXReset}
	s.RIP = RIPReset
	s.RFLAGS = FlagReserved1
	s.CR0, s.CR2, s.CR3, s.CR4, s.CR8 = cr0, 0, 0, 0, 0
	s.EFER = 0
	s.PDPTE = [4]uint64{}
	s.DR = [4]uint64{}
	s.DR6, s.DR7 = DR6Reset, DR7Reset
	for i := range s.Seg {
		s.Seg[i] = Segment{Attr: AttrData, Limit: limitReset}
	}
	s.Seg[CS] = Segment{Selector: csSelectorReset, Attr: AttrCode, Limit: limitReset, Base: csBaseReset}
	s.Seg[LDTR].Attr = AttrP | TypeLDT
	s.Seg[TR].Attr = AttrP | TypeTSSBusy
	s.GDTR = Table{Limit: limitReset}
	s.IDTR = Table{Limit: limitReset}
	s.CPL = 0
	s.Interrupt = Interruptibility{}
	s.Activity = ActivityRunning
}

// putLE stores the low n bytes of v in p, least significant byte first.
func putLE(p []byte, v uint64, n int) {
	for i := range n {
		p[i] = byte(v >> (8 * i))
	}
}
