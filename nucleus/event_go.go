package nucleus

import (
	"fmt"
	"os"
	"syscall"
)

// newEvent makes a counter of the nucleus that goroutines can wait for.
func newEvent(name string) (*os.File, uintptr, error) {
	fd, _, e := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if e != 0 {
		return nil, 0, fmt.Errorf("%s: no event: %w", name, e)
	}
	return os.NewFile(fd, name), fd, nil
}

// Interrupt is a device interrupt that a driver waits for.
type Interrupt struct {
	f      *os.File
	vector uintptr
	buf    [8]byte
}

// ISAInterrupt connects ISA interrupt irq, 0 to 15.
func ISAInterrupt(irq int) (*Interrupt, error) {
	f, fd, err := newEvent(fmt.Sprintf("ISA interrupt %d", irq))
	if err != nil {
		return nil, err
	}
	v, _, e := syscall.RawSyscall(callBindISA, uintptr(irq), fd, 0)
	if e != 0 {
		f.Close()
		return nil, fmt.Errorf("ISA interrupt %d: no free vector or no I/O APIC pin: %w", irq, e)
	}
	return &Interrupt{f: f, vector: v}, nil
}

// Wait returns after the interrupt has come at least once since the last Wait.
func (i *Interrupt) Wait() error {
	_, err := i.f.Read(i.buf[:])
	return err
}

// Done lets a level-triggered interrupt come again.
func (i *Interrupt) Done() {
	syscall.RawSyscall(callUnmaskIRQ, i.vector, 0, 0)
}

// Alarm is a timer of the nucleus, exact to the interrupt.
type Alarm struct {
	f   *os.File
	id  uintptr
	buf [8]byte
}

// NewAlarm makes an alarm that is not set.
func NewAlarm() (*Alarm, error) {
	f, fd, err := newEvent("alarm")
	if err != nil {
		return nil, err
	}
	id, _, e := syscall.RawSyscall(callNewAlarm, fd, 0, 0)
	if e != 0 {
		f.Close()
		return nil, fmt.Errorf("alarm: %w", e)
	}
	return &Alarm{f: f, id: id}, nil
}

// Set moves the alarm to TSC value when, 0 for never. One goroutine at a time.
func (a *Alarm) Set(when uint64) { syscall.RawSyscall(callSetAlarm, a.id, uintptr(when), 0) }

// Wait returns after the alarm has rung at least once since the last Wait.
func (a *Alarm) Wait() error {
	_, err := a.f.Read(a.buf[:])
	return err
}

// Close ends the alarm and a Wait under way.
func (a *Alarm) Close() error {
	syscall.RawSyscall(callFreeAlarm, a.id, 0, 0)
	return a.f.Close()
}
