package console

// key is one press of a key: a byte, or one of the keys below.
type key int

// Control characters that edit.
const (
	keyCtrlA     key = 0x01
	keyCtrlB     key = 0x02
	keyCtrlC     key = 0x03
	keyCtrlD     key = 0x04
	keyCtrlE     key = 0x05
	keyCtrlF     key = 0x06
	keyBackspace key = 0x08
	keyTab       key = 0x09
	keyLineFeed  key = 0x0A
	keyCtrlK     key = 0x0B
	keyCtrlL     key = 0x0C
	keyReturn    key = 0x0D
	keyCtrlN     key = 0x0E
	keyCtrlP     key = 0x10
	keyCtrlU     key = 0x15
	keyCtrlW     key = 0x17
	keyEscape    key = 0x1B
	keyRubout    key = 0x7F
)

// Keys that a terminal sends as several bytes.
const (
	keyNone key = 0x100 + iota // a key that is not complete, or means nothing
	keyUp
	keyDown
	keyRight
	keyLeft
	keyHome
	keyEnd
	keyDelete
)

// finals are the last bytes of sequences without a number.
var finals = map[byte]key{
	'A': keyUp, 'B': keyDown, 'C': keyRight, 'D': keyLeft, 'H': keyHome, 'F': keyEnd,
}

// numbered are the keys of sequences "ESC [ number ~".
var numbered = map[int]key{1: keyHome, 3: keyDelete, 4: keyEnd, 7: keyHome, 8: keyEnd}

// keyboard puts the bytes of control sequences together.
type keyboard struct {
	state  uint8
	number int
}

const (
	stateGround   = iota
	stateEscape   // after ESC
	stateSequence // after ESC [
	stateSingle   // after ESC O
)

// maxNumber ends the growth of a number that no key has.
const maxNumber = 1000

// press takes one byte.
func (k *keyboard) press(b byte) key {
	switch k.state {
	case stateEscape:
		return k.escaped(b)
	case stateSequence:
		return k.sequence(b)
	case stateSingle:
		k.state = stateGround
		return final(b)
	}
	if key(b) == keyEscape {
		k.state = stateEscape
		return keyNone
	}
	return key(b)
}

// escaped is the byte after ESC.
func (k *keyboard) escaped(b byte) key {
	switch b {
	case '[':
		k.state, k.number = stateSequence, 0
	case 'O':
		k.state = stateSingle
	case byte(keyEscape):
	default:
		k.state = stateGround
		if b < ' ' {
			return key(b) // the key ESC was pressed alone before
		}
	}
	return keyNone
}

// sequence is a byte after ESC [.
func (k *keyboard) sequence(b byte) key {
	switch {
	case b >= '0' && b <= '9':
		k.number = min(10*k.number+int(b-'0'), maxNumber)
		return keyNone
	case b >= ' ' && b < '@':
		return keyNone // other parameters and intermediate bytes
	}
	k.state = stateGround
	if b == '~' {
		if found, ok := numbered[k.number]; ok {
			return found
		}
		return keyNone
	}
	return final(b)
}

func final(b byte) key {
	if found, ok := finals[b]; ok {
		return found
	}
	return keyNone
}
