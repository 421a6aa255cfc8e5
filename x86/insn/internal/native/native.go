package native

// Func executes one instruction natively: a is its destination, b its source,
// where it has one, and flags RFLAGS before. Only status flags may be set.
type Func func(a, b, flags uint64) (result, after uint64)

// ALU holds the instructions by mnemonic and operand size in bytes. The bits of
// a result above the operand size are not meant.
var ALU = map[string]map[uint8]Func{
	"ADD": {1: addB, 2: addW, 4: addL, 8: addQ},
	"ADC": {1: adcB, 2: adcW, 4: adcL, 8: adcQ},
	"SUB": {1: subB, 2: subW, 4: subL, 8: subQ},
	"SBB": {1: sbbB, 2: sbbW, 4: sbbL, 8: sbbQ},
	"AND": {1: andB, 2: andW, 4: andL, 8: andQ},
	"OR":  {1: orB, 2: orW, 4: orL, 8: orQ},
	"XOR": {1: xorB, 2: xorW, 4: xorL, 8: xorQ},
	"CMP": {1: cmpB, 2: cmpW, 4: cmpL, 8: cmpQ},
	"INC": {1: incB, 2: incW, 4: incL, 8: incQ},
	"DEC": {1: decB, 2: decW, 4: decL, 8: decQ},
	"NEG": {1: negB, 2: negW, 4: negL, 8: negQ},
	"NOT": {1: notB, 2: notW, 4: notL, 8: notQ},
}

func addB(a, b, flags uint64) (result, after uint64)
func addW(a, b, flags uint64) (result, after uint64)
func addL(a, b, flags uint64) (result, after uint64)
func addQ(a, b, flags uint64) (result, after uint64)
func adcB(a, b, flags uint64) (result, after uint64)
func adcW(a, b, flags uint64) (result, after uint64)
func adcL(a, b, flags uint64) (result, after uint64)
func adcQ(a, b, flags uint64) (result, after uint64)
func subB(a, b, flags uint64) (result, after uint64)
func subW(a, b, flags uint64) (result, after uint64)
func subL(a, b, flags uint64) (result, after uint64)
func subQ(a, b, flags uint64) (result, after uint64)
func sbbB(a, b, flags uint64) (result, after uint64)
func sbbW(a, b, flags uint64) (result, after uint64)
func sbbL(a, b, flags uint64) (result, after uint64)
func sbbQ(a, b, flags uint64) (result, after uint64)
func andB(a, b, flags uint64) (result, after uint64)
func andW(a, b, flags uint64) (result, after uint64)
func andL(a, b, flags uint64) (result, after uint64)
func andQ(a, b, flags uint64) (result, after uint64)
func orB(a, b, flags uint64) (result, after uint64)
func orW(a, b, flags uint64) (result, after uint64)
func orL(a, b, flags uint64) (result, after uint64)
func orQ(a, b, flags uint64) (result, after uint64)
func xorB(a, b, flags uint64) (result, after uint64)
func xorW(a, b, flags uint64) (result, after uint64)
func xorL(a, b, flags uint64) (result, after uint64)
func xorQ(a, b, flags uint64) (result, after uint64)
func cmpB(a, b, flags uint64) (result, after uint64)
func cmpW(a, b, flags uint64) (result, after uint64)
func cmpL(a, b, flags uint64) (result, after uint64)
func cmpQ(a, b, flags uint64) (result, after uint64)
func incB(a, b, flags uint64) (result, after uint64)
func incW(a, b, flags uint64) (result, after uint64)
func incL(a, b, flags uint64) (result, after uint64)
func incQ(a, b, flags uint64) (result, after uint64)
func decB(a, b, flags uint64) (result, after uint64)
func decW(a, b, flags uint64) (result, after uint64)
func decL(a, b, flags uint64) (result, after uint64)
func decQ(a, b, flags uint64) (result, after uint64)
func negB(a, b, flags uint64) (result, after uint64)
func negW(a, b, flags uint64) (result, after uint64)
func negL(a, b, flags uint64) (result, after uint64)
func negQ(a, b, flags uint64) (result, after uint64)
func notB(a, b, flags uint64) (result, after uint64)
func notW(a, b, flags uint64) (result, after uint64)
func notL(a, b, flags uint64) (result, after uint64)
func notQ(a, b, flags uint64) (result, after uint64)
