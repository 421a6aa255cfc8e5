package x86

// Bits of XCR0: state components that XSAVE manages (SDM volume 1, section
// 13.1 "XSAVE-Supported Features and State-Component Bitmaps").
const (
	XCR0X87      = 1 << 0
	XCR0SSE      = 1 << 1
	XCR0AVX      = 1 << 2
	XCR0BndRegs  = 1 << 3
	XCR0BndCSR   = 1 << 4
	XCR0Opmask   = 1 << 5
	XCR0ZMMHi256 = 1 << 6
	XCR0Hi16ZMM  = 1 << 7
	XCR0PKRU     = 1 << 9
	XCR0TileCfg  = 1 << 17
	XCR0TileData = 1 << 18
	XCR0LWP      = 1 << 62 // AMD, withdrawn
	XCR0MPX      = XCR0BndRegs | XCR0BndCSR
	XCR0AVX512   = XCR0Opmask | XCR0ZMMHi256 | XCR0Hi16ZMM
	XCR0AMX      = XCR0TileCfg | XCR0TileData
)

// Bits of IA32_XSS.
const (
	XSSPT        = 1 << 8
	XSSPASID     = 1 << 10
	XSSCETUser   = 1 << 11
	XSSCETKernel = 1 << 12
	XSSHDC       = 1 << 13
	XSSUINTR     = 1 << 14
	XSSLBR       = 1 << 15
	XSSHWP       = 1 << 16
)

// Offsets in bytes in an XSAVE image (SDM volume 1, section 13.4 "XSAVE
// Area").
const (
	XSaveFCW      = 0
	XSaveFSW      = 2
	XSaveFTW      = 4 // abridged tag word
	XSaveMXCSR    = 24
	XSaveMXCSRMsk = 28
	XSaveST0      = 32
	XSaveXMM0     = 160
	XSaveHeader   = 512 // offset of XSTATE_BV
	XSaveXCompBV  = 520 // bit 63 (XSaveCompact) says compacted format
	XSaveLegacy   = 576 // size of the legacy region and the header
)

// XSaveCompact is the bit of XCOMP_BV that marks the compacted format.
const XSaveCompact = 1 << 63

// ValidXCR0 tells whether XSETBV accepts v on a processor that supports the
// given components: x87 is always on, wider registers need the narrower ones,
// and components that belong together are set together (SDM volume 1, section
// 13.3; APM volume 2, section 11.5.2).
func ValidXCR0(v, supported uint64) bool {
	together := func(m uint64) bool { return v&m == 0 || v&m == m }
	switch {
	case v&^supported != 0, v&XCR0X87 == 0:
		return false
	case v&XCR0AVX != 0 && v&XCR0SSE == 0:
		return false
	case v&XCR0AVX512 != 0 && v&XCR0AVX == 0:
		return false
	}
	return together(XCR0MPX) && together(XCR0AVX512) && together(XCR0AMX)
}
