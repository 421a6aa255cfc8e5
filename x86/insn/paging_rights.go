package insn

import "ringo/x86"

// reserved are the bits that must be 0 in an entry of that level (SDM volume
// 3A, section 4.7 "Page-Fault Exceptions": RSVD flag).
func (w *walker) reserved(level uint8, leaf bool) uint64 {
	if w.f.entry == 4 {
		if level == 2 && leaf {
			return w.reserved4M()
		}
		return 0
	}
	m := w.p.physReserved()
	if w.p.EFER&x86.EFERNXE == 0 {
		m |= x86.PTENX
	}
	if w.f.levels == 3 {
		m |= 0x7FF << 52
		if level == 3 {
			return m | x86.PTENX | 0x1E6 // bits 1, 2 and 5 to 8
		}
	}
	switch {
	case level > w.f.largeLevel, level == 3 && w.p.NoPage1G:
		m |= x86.PTEPageSize
	case leaf && level > 1:
		m |= uint64(1)<<w.shift(level) - 1<<13
	}
	return m
}

// physReserved are the address bits beyond what the processor has.
func (p *PagingState) physReserved() uint64 {
	n := p.PhysBits
	if n == 0 || n > x86.MaxPhysBits {
		return 0
	}
	return x86.PTEAddrMask &^ (1<<n - 1)
}

// reserved4M is reserved for an entry that maps 4 MiB: bit 21, and those of
// bits 20:13 that stand for address bits 39:32 beyond what the processor has.
func (w *walker) reserved4M() uint64 {
	return 1<<21 | w.p.physReserved()>>32&0xFF<<13
}

// denied is the error code of an access that the rights forbid, or 0 (SDM
// volume 3A, section 4.6 "Access Rights").
func (w *walker) denied(leaf uint64) uint32 {
	userPage := w.flags&x86.PTEUser != 0
	ok := w.userAllowed()
	if userPage && w.access&AccessUser == 0 {
		ok = w.supervisorOnUserPage()
	}
	switch {
	case !ok:
		return x86.PFPresent
	case w.keyDenied(userPage, leaf):
		return x86.PFPresent | x86.PFPK
	}
	return 0
}

// userAllowed checks U/S, R/W and NX for an access on a page of its own kind.
func (w *walker) userAllowed() bool {
	user := w.access&AccessUser != 0
	switch {
	case user && w.flags&x86.PTEUser == 0:
		return false
	case w.access&AccessFetch != 0:
		return w.flags&x86.PTENX == 0
	case w.access&AccessWrite != 0:
		return w.writeAllowed(user)
	}
	return true
}

// writeAllowed checks R/W; a supervisor heeds it only with CR0.WP.
func (w *walker) writeAllowed(user bool) bool {
	return w.flags&x86.PTEWrite != 0 || !user && w.p.CR0&x86.CR0WP == 0
}

// supervisorOnUserPage checks SMEP and SMAP besides the other rights.
func (w *walker) supervisorOnUserPage() bool {
	if w.access&AccessFetch != 0 {
		return w.p.CR4&x86.CR4SMEP == 0 && w.flags&x86.PTENX == 0
	}
	if w.p.CR4&x86.CR4SMAP != 0 && (w.p.RFLAGS&x86.FlagAC == 0 || w.access&AccessImplicit != 0) {
		return false
	}
	return w.access&AccessWrite == 0 || w.writeAllowed(false)
}

// keyDenied checks the protection key of a data access to a user page (SDM
// volume 3A, section 4.6.2 "Protection Keys").
func (w *walker) keyDenied(userPage bool, leaf uint64) bool {
	if w.p.CR4&x86.CR4PKE == 0 || w.f.levels < 4 || !userPage || w.access&AccessFetch != 0 {
		return false
	}
	rights := w.p.PKRU >> (leaf >> x86.PTEPKeyShift & 0xF * 2)
	const accessDisable, writeDisable = 1, 2
	if rights&accessDisable != 0 {
		return true
	}
	obeys := w.access&AccessUser != 0 || w.p.CR0&x86.CR0WP != 0
	return rights&writeDisable != 0 && w.access&AccessWrite != 0 && obeys
}

// fault makes the page fault with the given bits of the error code.
func (w *walker) fault(code uint32) error {
	if w.access&AccessWrite != 0 {
		code |= x86.PFWrite
	}
	if w.access&AccessUser != 0 {
		code |= x86.PFUser
	}
	if w.access&AccessFetch != 0 && (w.nxOn() || w.p.CR4&x86.CR4SMEP != 0) {
		code |= x86.PFFetch
	}
	w.p.fault = Fault{Vector: x86.VectorPF, HasError: true, ErrorCode: code, CR2: w.gva}
	return &w.p.fault
}
