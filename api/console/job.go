package console

import (
	"context"
	"runtime/debug"

	"ringo/api/node"
)

// finished is how a command ended.
type finished struct {
	result
	err error
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

// panicked logs a panic in a command.
func (k *Console) panicked(name string, p any) {
	k.cfg.Node.Log().Errorf("console: %s: %v\n%s", name, p, debug.Stack())
}
