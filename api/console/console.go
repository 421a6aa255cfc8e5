package console

import (
	"context"
	"fmt"
	"io"

	"ringo/api/node"
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
