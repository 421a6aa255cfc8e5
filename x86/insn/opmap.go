package insn

// Each opcode map is 16 rows of 16 letters; a letter says what follows the
// opcode:
//
//	.  nothing                      x  the opcode is not defined
//	M  ModRM                        R  ModRM that always names a register
//	B  ModRM, 8-bit immediate       Z  ModRM, 16 or 32-bit immediate
//	b  8-bit immediate              z  16 or 32-bit immediate
//	v  immediate of operand size    w  16-bit immediate
//	J  16 or 32-bit displacement    e  16 and 8-bit immediates (ENTER)
//	a  address of address size      T  ModRM, 8-bit immediate if TEST
//	t  ModRM, z immediate if TEST   Q  ModRM, two 8-bit immediates with 66, F2
//	P  a prefix, consumed before    E  escape to another map
//
// and, not defined in 64-bit mode:
//
//	6  nothing                      i  8-bit immediate
//	8  ModRM, 8-bit immediate       9  far pointer
//	m  ModRM that names memory

// oneByteMap is the SDM's table "One-byte Opcode Map".
const oneByteMap = "" +
	"MMMMbz66MMMMbz6E" + // 00
	"MMMMbz66MMMMbz66" + // 10
	"MMMMbzP6MMMMbzP6" + // 20
	"MMMMbzP6MMMMbzP6" + // 30
	"................" + // 40
	"................" + // 50
	"66mMPPPPzZbB...." + // 60
	"bbbbbbbbbbbbbbbb" + // 70
	"BZ8BMMMMMMMMMMMM" + // 80
	"..........9....." + // 90
	"aaaa....bz......" + // A0
	"bbbbbbbbvvvvvvvv" + // B0
	"BBw.mmBZe.w..b6." + // C0
	"MMMMii6.MMMMMMMM" + // D0
	"bbbbbbbbJJ9b...." + // E0
	"P.PP..Tt......MM" //   F0

// twoByteMap is the SDM's table "Two-byte Opcode Map" (0FH).
const twoByteMap = "" +
	"MMMMx.....x.xM.B" + // 00
	"MMMMMMMMMMMMMMMM" + // 10
	"RRRRxxxxMMMMMMMM" + // 20
	"......x.ExExxxxx" + // 30
	"MMMMMMMMMMMMMMMM" + // 40
	"MMMMMMMMMMMMMMMM" + // 50
	"MMMMMMMMMMMMMMMM" + // 60
	"BBBBMMM.QMxxMMMM" + // 70
	"JJJJJJJJJJJJJJJJ" + // 80
	"MMMMMMMMMMMMMMMM" + // 90
	"...MBMxx...MBMMM" + // A0
	"MMMMMMMMMMBMMMMM" + // B0
	"MMBMBBBM........" + // C0
	"MMMMMMMMMMMMMMMM" + // D0
	"MMMMMMMMMMMMMMMM" + // E0
	"MMMMMMMMMMMMMMMM" //   F0

// Opcode maps. The numbers 1 to 3 are also those in VEX and EVEX, 8 to 10
// those in XOP.
const (
	map1Byte = 0
	map0F    = 1
	map0F38  = 2
	map0F3A  = 3
	mapEVEX5 = 5
	mapEVEX6 = 6
	mapXOP8  = 8
	mapXOP9  = 9
	mapXOPA  = 10
)

// legacyClass is the letter of an opcode without VEX, EVEX or XOP.
func legacyClass(m, opcode uint8) byte {
	switch m {
	case map1Byte:
		return oneByteMap[opcode]
	case map0F:
		return twoByteMap[opcode]
	case map0F38:
		return 'M'
	}
	return 'B'
}

// vectorClass is the letter of an opcode under VEX, EVEX or XOP.
func vectorClass(m, opcode uint8) byte {
	switch m {
	case map0F:
		switch opcode {
		case 0x77:
			return '.'
		case 0x70, 0x71, 0x72, 0x73, 0xC2, 0xC4, 0xC5, 0xC6:
			return 'B'
		}
		return 'M'
	case map0F38, mapEVEX5, mapEVEX6, mapXOP9:
		return 'M'
	case map0F3A, mapXOP8:
		return 'B'
	case mapXOPA:
		return 'D' // ModRM, 32-bit immediate
	}
	return 'x'
}
