package cpuid

import "ringo/x86"

// component is one part of the XSAVE image beyond the legacy region.
type component struct {
	index        uint32
	size, offset uint32 // bytes, in the standard format
	flags        uint32 // ECX of the sub-leaf
}

// owners names the feature without which a component is of no use.
var owners = []struct {
	bits    uint64
	feature string
}{
	{x86.XCR0AVX, "avx"},
	{x86.XCR0AVX512, "avx512f"},
	{x86.XCR0PKRU, "pku"},
}

// findComponents settles which components the guest may enable: those of the
// host that a visible feature needs, that x86.State has room for, and that
// XSETBV accepts: a host may lack a component that another one needs.
func (p *Policy) findComponents() {
	p.xcr0 = x86.XCR0X87
	if !p.Has("xsave") {
		return
	}
	host := p.hostLeaf(x86.CPUIDXSAVE, 0)
	has := uint64(host[x86.EDX])<<32 | uint64(host[x86.EAX])
	p.xcr0 |= has & x86.XCR0SSE
	for _, o := range owners {
		with := p.xcr0 | o.bits
		if p.Has(o.feature) && has&o.bits == o.bits && p.fits(o.bits) && x86.ValidXCR0(with, with) {
			p.xcr0 = with
		}
	}
	for i := uint32(2); i < 63; i++ {
		if p.xcr0>>i&1 != 0 {
			p.areas = append(p.areas, p.component(i))
		}
	}
}

func (p *Policy) component(i uint32) component {
	r := p.hostLeaf(x86.CPUIDXSAVE, i)
	return component{index: i, size: r[x86.EAX], offset: r[x86.EBX], flags: r[x86.ECX]}
}

// fits tells whether all components in bits lie inside x86.State.XSAVE.
func (p *Policy) fits(bits uint64) bool {
	for i := uint32(2); i < 63; i++ {
		if bits>>i&1 == 0 {
			continue
		}
		c := p.component(i)
		if c.size == 0 || uint64(c.offset)+uint64(c.size) > x86.XSAVESize {
			return false
		}
	}
	return true
}

// XCR0 is the set of state components that the guest may enable.
func (p *Policy) XCR0() uint64 { return p.xcr0 }

// XSAVESize is the size in bytes of the standard-format XSAVE image for the
// components in xcr0: what leaf 0DH gives in EBX.
func (p *Policy) XSAVESize(xcr0 uint64) uint32 {
	size := uint32(x86.XSaveLegacy)
	for _, c := range p.areas {
		if xcr0>>c.index&1 != 0 {
			size = max(size, c.offset+c.size)
		}
	}
	return size
}

// compactSize is the size in bytes of the compacted format.
func (p *Policy) compactSize(xcr0 uint64) uint32 {
	size := uint32(x86.XSaveLegacy)
	for _, c := range p.areas {
		if xcr0>>c.index&1 == 0 {
			continue
		}
		if c.flags&componentAligned != 0 {
			size = (size + 63) &^ 63
		}
		size += c.size
	}
	return size
}

// componentAligned marks a component that begins on 64 bytes in the compacted
// format.
const componentAligned = 1 << 1

// xsaveLeaves appends leaf 0DH as it is for XCR0's value after RESET.
func (p *Policy) xsaveLeaves(t *table) {
	if !p.Has("xsave") {
		return
	}
	t.slow(x86.CPUIDXSAVE, 0, registers{
		uint32(p.xcr0), p.XSAVESize(x86.XCR0X87), p.XSAVESize(p.xcr0), uint32(p.xcr0 >> 32),
	})
	eax := p.features(x86.CPUIDXSAVE, 1, x86.EAX)
	compact := uint32(0)
	if eax&x86.CPUIDDS1EAXXSAVEC != 0 {
		compact = p.compactSize(x86.XCR0X87)
	}
	t.slow(x86.CPUIDXSAVE, 1, registers{eax, compact, 0, 0})
	for _, c := range p.areas {
		t.sub(x86.CPUIDXSAVE, c.index, registers{c.size, c.offset, c.flags, 0})
	}
}
