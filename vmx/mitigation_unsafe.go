package vmx

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"ringo/x86"
)

// Mitigation slots are room in the entry stub that is filled at boot with what
// the processor needs, so that a processor that needs nothing pays one jump.
// Each begins with a short jump over the rest and the mark "RSLOT" with the
// slot's number.
const (
	slotEntry = 1 // last before VM entry: may change no register
	slotExit  = 2 // before the first RET after a VM exit: may change RAX, RCX, RDX
	slotEarly = 3 // before guest registers are loaded: may change RAX, RCX, RDX

	slotSize   = 80
	slotHeader = 8
	slotMark   = "RSLOT"
	opJMPShort = 0xEB
	opNOP      = 0x90
)

// ErrMitigations says that the option has an unknown value.
var ErrMitigations = errors.New("unknown value of the mitigations option")

// mitigation is code for a slot.
type mitigation struct {
	name string
	slot int
	code []byte
	// needed is what auto goes by; possible tells whether the processor can
	// execute the code at all.
	needed, possible func(*processor) bool
}

func always(*processor) bool { return true }

// mitigations in the order in which they share a slot. IBPB between guests is
// not here: it is a branch in run, outside of the stub.
var mitigations = [...]mitigation{
	// Microarchitectural data sampling: VERW with a memory operand clears
	// processor buffers where CPUID reports MD_CLEAR. The operand is the data
	// selector that enter has stored at 0(SP).
	{"MDS", slotEntry, []byte{0x0F, 0x00, 0x2C, 0x24}, func(p *processor) bool { return p.mdClear && !p.mdsNo }, always},
	// L1 terminal fault: what the host has in the first-level cache is flushed.
	{"L1D", slotEarly, wrmsr(x86.MSRFlushCmd, 1), func(p *processor) bool { return p.flushCmd && !p.l1tfNo },
		func(p *processor) bool { return p.flushCmd }},
	// Return stack buffer: 32 calls replace what the guest left in it, unless
	// enhanced IBRS does. A processor without any control of speculation is
	// not protected by this alone.
	{"RSB", slotExit, rsbStuffing, func(p *processor) bool { return p.ibpb && !p.ibrsAll }, always},
}

// wrmsr is WRMSR of a 32-bit value: MOV ECX; MOV EAX; XOR EDX, EDX; WRMSR.
func wrmsr(msr, v uint32) []byte {
	return []byte{
		0xB9, byte(msr), byte(msr >> 8), byte(msr >> 16), byte(msr >> 24),
		0xB8, byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24),
		0x31, 0xD2, 0x0F, 0x30,
	}
}

// rsbStuffing makes 32 calls, whose return addresses lead to INT3, and drops
// their 256 bytes of stack.
var rsbStuffing = []byte{
	0xB8, 16, 0, 0, 0, // MOV EAX, 16
	0xE8, 1, 0, 0, 0, // CALL +1
	0xCC,             // INT3
	0xE8, 1, 0, 0, 0, // CALL +1
	0xCC,       // INT3
	0xFF, 0xC8, // DEC EAX
	0x75, 0xF0, // JNZ to the first CALL
	0x48, 0x81, 0xC4, 0, 1, 0, 0, // ADD RSP, 256
	0x0F, 0xAE, 0xE8, // LFENCE
}

// chosen tells whether an option's value turns a mitigation on.
func (m *mitigation) chosen(option string, p *processor) bool {
	switch {
	case m.code == nil || option == "off" || !m.possible(p):
		return false
	case option == "all":
		return true
	}
	return m.needed(p)
}

// slotCode is what goes into a slot, and the names of what is in it.
func slotCode(slot int, option string, p *processor) (code []byte, names []string, err error) {
	for i := range mitigations {
		if m := &mitigations[i]; m.slot == slot && m.chosen(option, p) {
			code = append(code, m.code...)
			names = append(names, m.name)
		}
	}
	if len(code) == 0 {
		return nil, nil, nil
	}
	if len(code) > slotSize {
		return nil, nil, fmt.Errorf("mitigation slot %d: %d bytes of code for %d", slot, len(code), slotSize)
	}
	for len(code) < slotSize {
		code = append(code, opNOP)
	}
	if rest := slotSize - len(bytes.TrimRight(code, "\x90")); rest >= 4 {
		at := slotSize - rest // one jump instead of many NOPs
		code[at], code[at+1] = opJMPShort, byte(rest-2)
	}
	return code, names, nil
}

// findSlot gives the offset of a slot in the text of the stub.
func findSlot(text []byte, slot int) (int, error) {
	mark := append([]byte{opJMPShort, slotSize - 2}, slotMark...)
	i := bytes.Index(text, append(mark, byte(slot)))
	if i < 0 || i+slotSize > len(text) {
		return 0, fmt.Errorf("mitigation slot %d is not in the entry stub", slot)
	}
	return i, nil
}

// mitigate fills the slots by the option and turns the barrier between guests
// on.
func (b *Backend) mitigate(o Options) error {
	option := o.Mitigations
	switch option {
	case "":
		option = "auto"
	case "auto", "off", "all":
	default:
		return fmt.Errorf("mitigations=%q, want auto, off or all: %w", option, ErrMitigations)
	}
	if b.cpu.ibpb && (option == "all" || option == "auto") {
		b.features |= featureIBPB
		b.patched = append(b.patched, "IBPB")
	}
	if o.PatchText == nil {
		return nil
	}
	start, _, end := entryText()
	text := unsafe.Slice(*(**byte)(unsafe.Pointer(&start)), end-start)
	for _, slot := range [...]int{slotEntry, slotExit, slotEarly} {
		code, names, err := slotCode(slot, option, &b.cpu)
		if err != nil {
			return err
		}
		if code == nil {
			continue
		}
		at, err := findSlot(text, slot)
		if err != nil {
			return err
		}
		if err := o.PatchText(start+uintptr(at), code); err != nil {
			return fmt.Errorf("mitigation slot %d: %w", slot, err)
		}
		b.patched = append(b.patched, names...)
	}
	return nil
}
