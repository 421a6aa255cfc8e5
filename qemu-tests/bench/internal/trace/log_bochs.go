package trace

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// pageShift makes page numbers of addresses.
const pageShift = 12

// readBochs calls f for each executed instruction of what Bochs' debugger has
// printed. A line does not say whether it is one of a guest: the guest is a
// loop that stays in the physical page of the first line.
func readBochs(r io.Reader, f func(step)) error {
	lines := bufio.NewScanner(r)
	steps, guest := 0, uint64(0)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "(0).[") {
			continue // the machine's screen, and what the debugger says else
		}
		i, err := traced(lines.Text())
		if err != nil {
			return err
		}
		if steps == 0 {
			guest = i.physical >> pageShift
		}
		f(step{where{i.pc, i.physical>>pageShift == guest}, classify(i.code), len(i.code) > 0})
		steps++
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrLog, err)
	}
	if steps == 0 {
		return fmt.Errorf("%w: it has no line that begins with \"(0).[\"", ErrLog)
	}
	return nil
}

// tracedInstruction is one line of Bochs' trace.
type tracedInstruction struct {
	pc, physical uint64
	code         []byte // nil if the line has none
}

// traced reads a line such as
// "(0).[180526079] [0x000037d000e9] 0008:00000000001000e9 (unk. ctxt): cpuid  ; 0fa2":
// CPU, tick, physical address, CS and RIP, text, bytes.
func traced(line string) (i tracedInstruction, err error) {
	fields := strings.Fields(line)
	if len(fields) < 3 {
		return i, fmt.Errorf("%w: %q has no addresses", ErrLog, line)
	}
	i.physical, err = strconv.ParseUint(strings.Trim(fields[1], "[]"), 0, 64)
	if err != nil {
		return i, fmt.Errorf("%w: %q: %w", ErrLog, line, err)
	}
	_, rip, _ := strings.Cut(fields[2], ":")
	i.pc, err = strconv.ParseUint(rip, 16, 64)
	if err != nil {
		return i, fmt.Errorf("%w: %q: %w", ErrLog, line, err)
	}
	if at := strings.LastIndex(line, "; "); at >= 0 {
		// Without bytes the instruction counts as one that is not known.
		i.code, _ = hex.DecodeString(strings.TrimSpace(line[at+len("; "):]))
	}
	return i, nil
}
