package trace

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds of what is kept: different instructions, and those of one block.
const (
	maxKnown = 1 << 20
	maxBlock = 1 << 10
)

// guestMode is the bit of QEMU's translation flags (HF_GUEST_MASK) that says
// that the instruction is one of an SVM guest.
const guestMode = 1 << 21

// readQEMU calls f for each executed instruction of a log that QEMU has made with
// "log in_asm,exec,nochain" and one instruction per translation block. An
// instruction's bytes come when it is translated, which is before it is first
// executed.
func readQEMU(r io.Reader, f func(step)) error {
	classes := map[where]Class{}
	var new []instruction // translated, and not yet executed
	lines := bufio.NewScanner(r)
	steps := 0
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "IN:"):
			new = new[:0]
		case strings.HasPrefix(line, "0x"):
			if i, ok := translated(line); ok && len(new) < maxBlock {
				new = append(new, i)
			}
		case strings.HasPrefix(line, "Trace "):
			s, err := executed(line)
			if err != nil {
				return err
			}
			for _, i := range new {
				if len(classes) < maxKnown {
					classes[where{i.pc, s.guest}] = i.class
				}
			}
			new = new[:0]
			s.class, s.known = classes[s.where]
			f(s)
			steps++
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrLog, err)
	}
	if steps == 0 {
		return fmt.Errorf("%w: it has no line that begins with \"Trace\"", ErrLog)
	}
	return nil
}

// instruction is one that was translated.
type instruction struct {
	pc    uint64
	class Class
}

// translated reads a line such as "0x005d1908:  48 8b 14 24   movq (%rsp), %rdx":
// address, up to eight bytes, text. Where QEMU could not read a guest's memory
// there are no bytes.
func translated(line string) (i instruction, ok bool) {
	address, rest, _ := strings.Cut(line, ":")
	pc, err := strconv.ParseUint(address, 0, 64)
	if err != nil {
		return i, false
	}
	var code []byte
	for _, word := range strings.Fields(rest) {
		b, err := hex.DecodeString(word)
		if err != nil || len(b) != 1 {
			break
		}
		code = append(code, b[0])
	}
	return instruction{pc, classify(code)}, len(code) > 0
}

// executed reads a line such as
// "Trace 0: 0x7fd908e162c0 [0000000000000000/00000000005d1903/0050c2b0/ff020201]",
// where the brackets have the CS base, the instruction pointer and the flags.
func executed(line string) (step, error) {
	_, inside, _ := strings.Cut(line, "[")
	fields := strings.SplitN(inside, "/", 4)
	if len(fields) != 4 {
		return step{}, fmt.Errorf("%w: %q has no [CS/PC/flags/...]", ErrLog, line)
	}
	pc, err1 := strconv.ParseUint(fields[1], 16, 64)
	flags, err2 := strconv.ParseUint(fields[2], 16, 64)
	if err := errors.Join(err1, err2); err != nil {
		return step{}, fmt.Errorf("%w: %q: %w", ErrLog, line, err)
	}
	return step{where: where{pc, flags&guestMode != 0}}, nil
}
