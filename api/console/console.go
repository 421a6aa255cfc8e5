package console

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"ringo/api/node"
)

// Bounds of the input.
const (
	readSize = 256
	// maxAhead is how much may be typed while a command runs.
	maxAhead = 1024
)

// defaultEscape is Ctrl-].
const defaultEscape = 0x1D

// Config says what a console serves.
type Config struct {
	In   io.Reader // keys, as a raw terminal sends them
	Out  io.Writer // the terminal
	Node *node.Node
	// Banner is shown first. Its lines end with \n.
	Banner string
	// Attach shows the console of the VM that starts first by itself as soon
	// as it has started, unless somebody has typed something by then.
	Attach bool
	// Escape is the control character that leads from a guest to the prompt;
	// 0 means Ctrl-].
	Escape byte
}

// Console is one terminal. Only New and Run are for others.
type Console struct {
	cfg    Config
	out    screen
	editor editor
	seen   uint64 // number of the first log entry that was not looked at

	view    *view    // nil at the prompt
	waiting *node.VM // to attach to once it has started
	cr      bool     // the last key was Return: a line feed after it belongs to it
	buffer  [pumpSize]byte

	// While a command runs:
	cancel context.CancelFunc // nil if none does
	long   bool               // it takes its time: show the log meanwhile
	done   chan finished
	ahead  []byte // typed meanwhile
}

// finished is how a command ended.
type finished struct {
	result
	err error
}

// New makes a console.
func New(c Config) *Console {
	if c.Escape == 0 {
		c.Escape = defaultEscape
	}
	k := &Console{cfg: c, out: screen{w: c.Out}, done: make(chan finished, 1)}
	k.editor.complete = k.complete
	return k
}

// Run serves the terminal until ctx ends, In ends (which is no error), or Out
// fails. A read of In that is under way when ctx ends stays until it returns;
// what it gives is lost.
func (k *Console) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed, logged := k.cfg.Node.Watch(), k.cfg.Node.Log().Watch()
	defer changed.Close()
	defer logged.Close()
	keys, broken := k.read(ctx)
	k.begin()
	defer k.end()
	for k.out.err == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-broken:
			return err
		case p := <-keys:
			k.waiting = nil
			k.input(ctx, p)
		case <-changed.C:
			k.vmChanged()
		case <-logged.C:
			k.logChanged()
		case <-k.view.ready():
			k.pump(k.view, pumpSize)
		case f := <-k.done:
			k.finish(ctx, f)
		}
	}
	return fmt.Errorf("console: %w", k.out.err)
}

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

// begin shows the banner, what the log has so far and the prompt.
func (k *Console) begin() {
	k.out.text(k.cfg.Banner)
	k.out.text(k.news(node.LevelInfo))
	k.prompt()
	if k.cfg.Attach {
		k.waiting = k.cfg.Node.First()
		k.vmChanged()
	}
}

// end leaves nothing behind.
func (k *Console) end() {
	if k.view != nil {
		k.view.watch.Close()
	}
	if k.cancel != nil {
		k.cancel()
		<-k.done
	}
}

// prompt shows the line that is being typed.
func (k *Console) prompt() {
	k.editor.draw()
	k.out.raw([]byte(k.editor.flush()))
}

// aside shows text above the prompt.
func (k *Console) aside(text string) {
	if text == "" {
		return
	}
	k.out.raw([]byte("\r" + eraseRight))
	k.out.text(text)
	k.prompt()
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

// start runs the command of a line beside the screen.
func (k *Console) start(ctx context.Context, words []string) {
	if len(words) == 0 {
		k.prompt()
		return
	}
	c, args, err := find(words)
	if err == nil {
		err = c.check(args)
	}
	if err != nil {
		k.out.text(err.Error() + "\n")
		k.prompt()
		return
	}
	k.out.text(c.note)
	k.long = c.note != ""
	ctx, k.cancel = context.WithCancel(ctx)
	go func() {
		r, err := c.call(ctx, k, args)
		k.done <- finished{r, err}
	}()
}

// finish shows what a command has given.
func (k *Console) finish(ctx context.Context, f finished) {
	k.cancel()
	k.cancel = nil
	if f.err != nil {
		k.out.text(f.err.Error() + "\n")
	}
	k.out.text(f.text)
	k.out.text(k.news(node.LevelInfo))
	if f.attach != nil {
		k.attach(f.attach, f.lines)
	}
	if k.view == nil {
		k.prompt()
	}
	ahead := k.ahead
	k.ahead = nil
	k.input(ctx, ahead)
}

// vmChanged looks at what VMs do.
func (k *Console) vmChanged() {
	if k.waiting != nil && k.waiting.Status().Starts > 0 {
		v := k.waiting
		k.waiting = nil
		k.out.raw([]byte("\r" + eraseRight))
		k.attachAtBoot(v)
		if k.view == nil {
			k.prompt()
		}
		return
	}
	if k.view != nil {
		k.checkView()
	}
}

// logChanged shows new lines of the log, unless a guest has the screen.
func (k *Console) logChanged() {
	switch {
	case k.view != nil:
	case k.cancel != nil && k.long:
		k.out.text(k.news(node.LevelInfo))
	case k.cancel != nil: // its own result comes first
	default:
		k.aside(k.news(node.LevelInfo))
	}
}

// panicked logs a panic in a command.
func (k *Console) panicked(name string, p any) {
	k.cfg.Node.Log().Errorf("console: %s: %v\n%s", name, p, debug.Stack())
}
