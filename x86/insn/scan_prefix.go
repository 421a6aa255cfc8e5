package insn

import "ringo/x86"

// Bits of REX.
const (
	rexB = 1 << 0
	rexX = 1 << 1
	rexR = 1 << 2
	rexW = 1 << 3
	rex0 = 0x40
)

// Prefix bytes.
const (
	prefixLock  = 0xF0
	prefixRepne = 0xF2
	prefixRep   = 0xF3
	prefixData  = 0x66
	prefixAddr  = 0x67
	prefixFS    = 0x64
	prefixGS    = 0x65
)

// segPrefix gives the prefix byte of each segment override.
var segPrefix = [6]uint8{x86.ES: 0x26, x86.CS: 0x2E, x86.SS: 0x36, x86.DS: 0x3E, x86.FS: prefixFS, x86.GS: prefixGS}

// scanPrefixes takes the legacy prefixes and REX. A REX that another prefix
// follows has no effect.
func (l *layout) scanPrefixes() error {
	for {
		b, err := l.next()
		if err != nil {
			return err
		}
		switch b {
		case 0x26, 0x2E, 0x36, 0x3E:
			if l.mode != Mode64 {
				l.seg = b >> 3 & 3
			}
		case prefixFS:
			l.seg = x86.FS
		case prefixGS:
			l.seg = x86.GS
		case prefixData:
			l.data66 = true
		case prefixAddr:
			l.addr67 = true
		case prefixLock:
			l.lock = true
		case prefixRepne, prefixRep:
			l.rep = b
		default:
			if l.mode == Mode64 && b&0xF0 == rex0 {
				l.rex = b
				continue
			}
			l.pos--
			l.opPos = l.pos
			return nil
		}
		l.rex = 0
	}
}

// scanOpcode takes the opcode with its escapes, or VEX, EVEX or XOP and the
// opcode, and gives the opcode's letter.
func (l *layout) scanOpcode() (byte, error) {
	b, err := l.next()
	if err != nil {
		return 0, err
	}
	if b == 0xC4 || b == 0xC5 || b == 0x62 || b == 0x8F {
		if l.pos >= len(l.code) {
			return 0, l.short()
		}
		if n := l.vectorPrefix(b, l.code[l.pos]); n != encLegacy {
			return l.scanVector(b, n)
		}
	}
	if b == 0x0F {
		l.opMap = map0F
		if b, err = l.next(); err != nil {
			return 0, err
		}
		if b == 0x38 || b == 0x3A {
			l.opMap = map0F38 + b>>1&1
			if b, err = l.next(); err != nil {
				return 0, err
			}
		}
	}
	l.opcode = b
	return legacyClass(l.opMap, b), nil
}

// vectorPrefix tells whether the bytes b and second begin VEX, EVEX or XOP.
// Outside 64-bit mode these share their first byte with LES, LDS and BOUND,
// which need a memory operand; XOP shares it with POP, which has reg 0.
func (l *layout) vectorPrefix(b, second uint8) encoding {
	switch {
	case b == 0x8F:
		if second&0x1F >= mapXOP8 {
			return encXOP
		}
		return encLegacy
	case l.mode != Mode64 && second>>6 != 3:
		return encLegacy
	case b == 0x62:
		return encEVEX
	}
	return encVEX
}

// scanVector takes the payload of VEX, EVEX or XOP, then the opcode.
func (l *layout) scanVector(first uint8, enc encoding) (byte, error) {
	if l.lock || l.rep != 0 || l.data66 || l.rex != 0 {
		return 0, ErrInvalid
	}
	l.enc = enc
	n := 2
	switch first {
	case 0xC5:
		n = 1
	case 0x62:
		n = 3
	}
	var p [3]uint8
	for i := range n {
		b, err := l.next()
		if err != nil {
			return 0, err
		}
		p[i] = b
	}
	l.vectorFields(first, p)
	b, err := l.next()
	if err != nil {
		return 0, err
	}
	l.opcode = b
	if l.opMap >= mapEVEX5 && (enc == encVEX || enc == encEVEX && l.opMap > mapEVEX6) || l.opMap < mapXOP8 && enc == encXOP {
		return 'x', nil
	}
	return vectorClass(l.opMap, b), nil
}

// vectorFields spreads the payload bytes over the layout.
func (l *layout) vectorFields(first uint8, p [3]uint8) {
	last := p[1]
	if first == 0xC5 {
		l.opMap = map0F
		l.rex = ^p[0] >> 5 & rexR
		last = p[0] &^ 0x80
	} else {
		l.opMap = p[0] & 0x1F
		if first == 0x62 {
			l.opMap = p[0] & 7
		}
		l.rex = ^p[0] >> 5
		if p[1]&0x80 != 0 {
			l.rex |= rexW
		}
	}
	l.pp = last & 3
	l.vvvv = ^last >> 3 & 0xF
	l.long = last&4 != 0
	if first == 0x62 {
		l.long = p[2]&0x60 != 0
	}
	if l.mode != Mode64 {
		l.rex = 0 // the extension bits have no meaning here
	}
	l.rex |= rex0
}
