package node

import "sync"

// maxTyped bounds the input that waits for a guest beyond what its serial port
// holds itself.
const maxTyped = 64 << 10

// serialConsole is what a Terminal needs of an hv.Console.
type serialConsole interface {
	SetOutput(func([]byte))
	SetDrained(func())
	Input([]byte) int
}

// Terminal is a VM's serial console: what the guest printed, and a way to
// type. It exists as long as the VM is defined. Any goroutine may use it.
type Terminal struct {
	port    serialConsole
	changed signal

	out  sync.Mutex
	back scrollback

	in    sync.Mutex
	typed []byte // not yet taken by the port
}

// newTerminal takes over a console; it keeps up to limit bytes of output.
func newTerminal(port serialConsole, limit uint64) *Terminal {
	t := &Terminal{port: port, back: scrollback{limit: int(limit)}}
	port.SetOutput(t.print)
	port.SetDrained(t.drained)
	return t
}

// print takes the guest's output. The guest waits for it, so it is short.
func (t *Terminal) print(p []byte) {
	t.out.Lock()
	t.back.write(p)
	t.out.Unlock()
	t.changed.notify()
}

// Watch fires when the guest has printed something.
func (t *Terminal) Watch() *Watch { return t.changed.watch() }

// End is the position after the newest byte of the guest's output.
func (t *Terminal) End() uint64 {
	t.out.Lock()
	defer t.out.Unlock()
	return t.back.end
}

// Tail is the position at which the newest lines of the output start.
func (t *Terminal) Tail(lines int) uint64 {
	t.out.Lock()
	defer t.out.Unlock()
	return t.back.tail(lines)
}

// Line is the position at which the line starts that the guest is printing.
func (t *Terminal) Line() uint64 {
	t.out.Lock()
	defer t.out.Unlock()
	return t.back.line()
}

// Read copies output from position at on into p. first is the position of the
// first byte copied; it is after at if bytes in between are gone.
func (t *Terminal) Read(p []byte, at uint64) (n int, first uint64) {
	t.out.Lock()
	defer t.out.Unlock()
	return t.back.read(p, at)
}

// Type gives p to the guest, in order, as fast as it reads. It takes less
// than p, and says how much, if too much waits already. It never waits.
func (t *Terminal) Type(p []byte) int {
	t.in.Lock()
	defer t.in.Unlock()
	n := min(len(p), maxTyped-len(t.typed))
	t.typed = append(t.typed, p[:n]...)
	t.send()
	return n
}

// drained goes on when the port has room again.
func (t *Terminal) drained() {
	t.in.Lock()
	defer t.in.Unlock()
	t.send()
}

// forget drops what was typed for a guest that is gone.
func (t *Terminal) forget() {
	t.in.Lock()
	defer t.in.Unlock()
	t.typed = nil
}

// send gives the port what it takes.
func (t *Terminal) send() {
	if len(t.typed) == 0 {
		return
	}
	t.typed = t.typed[:copy(t.typed, t.typed[t.port.Input(t.typed):])]
}
