package console

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"ringo/api/node"
	"ringo/hv"
)

// pumpSize is how much of a guest's output is shown before keys and events are
// looked at again, so that the escape key works on a slow line too.
const pumpSize = 1024

// view is the console of the VM that the screen shows.
type view struct {
	vm    *node.VM
	watch *node.Watch
	at    uint64 // position in its output
	ends  uint64 // its ends that the screen has told of
	shown bool   // something of its output is on the screen
}

// always is ready at any time.
var always = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// ready fires when there is output to show; never without a view.
func (w *view) ready() <-chan struct{} {
	switch {
	case w == nil:
		return nil
	case w.at != w.vm.Terminal().End():
		return always
	}
	return w.watch.C
}

// attach shows a VM's console: the end of its scrollback, then who it is, then
// the line that the guest is printing and all that follows.
func (k *Console) attach(v *node.VM, lines int) {
	t, s := v.Terminal(), v.Status()
	w := &view{vm: v, watch: t.Watch(), at: t.Tail(lines), ends: s.Ends}
	if gone(s) {
		k.attachToNobody(w, s)
		return
	}
	k.show(w, t.Line())
	k.greet(w, s)
}

// attachAtBoot is attach for a VM that was just started: who it is comes
// before anything that the guest has printed so far.
func (k *Console) attachAtBoot(v *node.VM) {
	t, s := v.Terminal(), v.Status()
	w := &view{vm: v, watch: t.Watch(), at: t.Tail(attachLines), ends: s.Ends}
	if gone(s) {
		k.attachToNobody(w, s)
		return
	}
	k.greet(w, s)
}

// gone says whether a VM is off and stays so.
func gone(s node.Status) bool { return !isOn(s) && s.RestartAt.IsZero() }

// attachToNobody shows what a VM that is off has left.
func (k *Console) attachToNobody(w *view, s node.Status) {
	w.watch.Close()
	k.show(w, w.vm.Terminal().End())
	k.freshLine(w)
	name := w.vm.Name()
	k.out.text(fmt.Sprintf("[%s %s; vm start %s turns it on]\n", name, absence(s), name))
}

// greet gives the screen to a VM.
func (k *Console) greet(w *view, s node.Status) {
	k.out.text(fmt.Sprintf("[attached to %s%s; %s returns to Ringo]\n", w.vm.Name(), condition(s), k.escapeName()))
	k.view = w
}

// condition says why an attached VM may be silent.
func condition(s node.Status) string {
	switch {
	case !s.RestartAt.IsZero():
		return ", which starts again in " + seconds(time.Until(s.RestartAt))
	case s.State == hv.StatePaused:
		return ", which is paused"
	}
	return ""
}

// absence says why a VM is not there to attach to.
func absence(s node.Status) string {
	switch s.State {
	case hv.StateCreated:
		return "has not been started yet"
	case hv.StateCrashed:
		return "has crashed: " + s.Reason.String()
	}
	return "is off: " + s.Reason.String()
}

// show shows the VM's output up to a position.
func (k *Console) show(w *view, until uint64) {
	for w.at < until && k.out.err == nil {
		k.pump(w, min(until-w.at, pumpSize))
	}
}

// pump shows up to n bytes of output.
func (k *Console) pump(w *view, n uint64) {
	p := k.buffer[:n]
	got, first := w.vm.Terminal().Read(p, w.at)
	if first > w.at {
		k.out.text(fmt.Sprintf("\n[%d bytes of output are lost]\n", first-w.at))
	}
	k.out.raw(p[:got])
	w.at, w.shown = first+uint64(got), w.shown || got > 0
}

// freshLine goes to the start of a line unless the guest's output is there.
func (k *Console) freshLine(w *view) {
	if w.shown && w.vm.Terminal().Line() != w.at {
		k.out.text("\n")
	}
}

// attachedInput takes keys while a VM is shown, and says how many.
func (k *Console) attachedInput(p []byte) int {
	n := bytes.IndexByte(p, k.cfg.Escape)
	typed := p
	if n >= 0 {
		typed = p[:n]
	}
	if k.view.vm.Terminal().Type(typed) < len(typed) {
		k.out.text(bell)
	}
	if n < 0 {
		return len(p)
	}
	k.detach("")
	return n + 1
}

// checkView looks whether the VM that is shown has come to an end.
func (k *Console) checkView() {
	w := k.view
	s := w.vm.Status()
	if s.Ends == w.ends {
		return
	}
	w.ends = s.Ends
	k.show(w, w.vm.Terminal().End())
	k.freshLine(w)
	message := fmt.Sprintf("[%s: %s]\n", w.vm.Name(), ending(s))
	if !gone(s) {
		k.out.text(message)
		return
	}
	k.detach(message)
}

// ending says how a VM ended, and whether it comes back.
func ending(s node.Status) string {
	text := s.Reason.String()
	switch {
	case s.Reason.Cause == hv.CausePowerOff:
		text = "the guest has powered off"
	case s.Reason.Cause.Crash():
		text = "crashed: " + text
	}
	if !s.RestartAt.IsZero() {
		text += "; starts again in " + seconds(time.Until(s.RestartAt))
	}
	return text
}

// detach goes back to the prompt.
func (k *Console) detach(message string) {
	w := k.view
	k.view = nil
	w.watch.Close()
	if message == "" {
		message = fmt.Sprintf("\n[left %s; attach %s returns to it]\n", w.vm.Name(), w.vm.Name())
	}
	k.out.text(message)
	k.out.text(k.news(node.LevelWarn))
	k.prompt()
}

// escapeName is the escape key as a keyboard names it.
func (k *Console) escapeName() string {
	const caret = 0x40 // from a control character to its key
	return "Ctrl-" + strings.ToUpper(string(rune(k.cfg.Escape^caret)))
}
