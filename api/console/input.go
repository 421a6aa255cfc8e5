package console

import (
	"context"
	"io"
	"strings"
)

// Bounds of the input.
const (
	readSize = 256
	// maxAhead is how much may be typed while a command runs.
	maxAhead = 1024
)

// read reads keys on a goroutine of its own. The error of io.EOF is nil.
func (k *Console) read(ctx context.Context) (<-chan []byte, <-chan error) {
	keys, broken := make(chan []byte), make(chan error, 1)
	go func() {
		for {
			p := make([]byte, readSize)
			n, err := k.cfg.In.Read(p)
			if n > 0 {
				select {
				case keys <- p[:n]:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				if err == io.EOF {
					err = nil
				}
				broken <- err
				return
			}
		}
	}()
	return keys, broken
}

// input gives keys to who listens at the moment, which any key may change.
func (k *Console) input(ctx context.Context, p []byte) {
	for len(p) > 0 {
		cr := k.cr
		k.cr = false
		switch {
		case cr && p[0] == byte(keyLineFeed):
			p = p[1:]
		case k.cancel != nil:
			p = p[k.typeAhead(p):]
		case k.view != nil:
			p = p[k.attachedInput(p):]
		default:
			k.promptInput(ctx, p[0])
			p = p[1:]
		}
	}
}

// promptInput takes one key at the prompt.
func (k *Console) promptInput(ctx context.Context, b byte) {
	if b == k.cfg.Escape {
		return // nothing to leave
	}
	line, done := k.editor.press(b)
	k.out.raw([]byte(k.editor.flush()))
	if done {
		k.cr = b == byte(keyReturn)
		k.start(ctx, strings.Fields(line))
	}
}

// typeAhead keeps what is typed while a command runs.
func (k *Console) typeAhead(p []byte) int {
	for _, b := range p {
		switch {
		case b == byte(keyCtrlC):
			k.cancel()
			k.ahead = nil
		case len(k.ahead) < maxAhead:
			k.ahead = append(k.ahead, b)
		default:
			k.out.text(bell)
		}
	}
	return len(p)
}
