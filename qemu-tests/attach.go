package qemutests

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
)

// Keys that end the emulator: Ctrl-A, then x, as in QEMU's own terminal. Two
// Ctrl-A send one.
const (
	escapeKey = 'A' & 0x1f
	endKey    = 'x'
)

// Attach runs a stanza's machine in Bochs with the serial port on in and out,
// for a person: without a script and a time limit. It returns when the guest
// switches the machine off, Ctrl-A x is typed, or ctx ends.
func (l Lab) Attach(ctx context.Context, s Stanza, in io.Reader, out io.Writer) error {
	s.Emulator = Bochs
	m, err := l.prepare(s.normal(0))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b, err := m.newBochs(ctx)
	if err != nil {
		return err
	}
	end, err := b.run(func(line net.Conn) {
		go func() {
			if typeKeys(line, in) {
				cancel()
			}
		}()
		_, _ = io.Copy(out, line)
	})
	if err != nil {
		return err
	}
	if end.exited && end.code != 0 {
		return fmt.Errorf("the emulator ended with code %d:\n%s", end.code, b.screen.bytes)
	}
	return nil
}

// typeKeys sends what is typed and says whether the keys that end the
// emulator came. It also ends with its input or the line.
func typeKeys(line io.Writer, in io.Reader) (end bool) {
	escaped := false
	buf := make([]byte, 256)
	for {
		n, err := in.Read(buf)
		var send bytes.Buffer
		for _, key := range buf[:n] {
			switch {
			case escaped && key == endKey:
				return true
			case !escaped && key == escapeKey:
				escaped = true
				continue
			}
			escaped = false
			send.WriteByte(key)
		}
		if _, failed := line.Write(send.Bytes()); err != nil || failed != nil {
			return false
		}
	}
}
