package insn

import "ringo/x86"

// fastWalk is the walk of a 4-level or 5-level table whose accessed and dirty
// bits are set already and whose rights are plain. It says false where
// anything else is to be decided, and has then changed nothing.
func (p *PagingState) fastWalk(mem Phys, gva uint64, access Access) (Translation, bool) {
	const need = x86.PTEPresent | x86.PTEAccessed
	strange := p.physReserved()
	if p.EFER&x86.EFERNXE == 0 {
		strange |= x86.PTENX
	}
	// Masking a shift by 63 changes nothing here; it spares the compiler's
	// check for wide shifts.
	shift := uint(39)
	if p.CR4&x86.CR4LA57 != 0 {
		shift = 48
	}
	table := p.CR3 & x86.CR3MaskLong
	rights, nx := uint64(x86.PTEWrite|x86.PTEUser), uint64(0)
	for ; ; shift -= 9 {
		v, ok := mem.Load64(table + gva>>(shift&63)&0x1FF<<3)
		if !ok || v&need != need || v&strange != 0 {
			return Translation{}, false
		}
		rights &= v
		nx |= v & x86.PTENX
		if shift > x86.PageShift {
			if v&x86.PTEPageSize == 0 {
				table = v & x86.PTEAddrMask
				continue
			}
			if shift > 30 || shift == 30 && p.NoPage1G || v&(1<<(shift&63)-1<<13) != 0 {
				return Translation{}, false
			}
		}
		if !p.plainRights(rights, nx, v, access) {
			return Translation{}, false
		}
		size := uint64(1) << (shift & 63)
		const last = x86.PTEDirty | x86.PTEGlobal | x86.PTEPWT | x86.PTEPCD
		return Translation{
			GPA:      v&x86.PTEAddrMask&^(size-1) | gva&(size-1),
			PageSize: size,
			Flags:    rights | nx | v&last,
		}, true
	}
}

// plainRights tells whether the access is allowed without a look at CR0.WP,
// SMEP, SMAP or protection keys.
func (p *PagingState) plainRights(rights, nx, leaf uint64, access Access) bool {
	userPage, user := rights&x86.PTEUser != 0, access&AccessUser != 0
	if userPage != user && (user || p.CR4&(x86.CR4SMEP|x86.CR4SMAP) != 0) || userPage && p.CR4&x86.CR4PKE != 0 {
		return false
	}
	if access&AccessFetch != 0 && nx != 0 {
		return false
	}
	return access&AccessWrite == 0 || rights&x86.PTEWrite != 0 && leaf&x86.PTEDirty != 0
}
