package devices

// Lines is one interrupt wired to several controllers, as ISA interrupts go to
// both the PIC and the I/O APIC.
type Lines []Line

// Set sets each line.
func (l Lines) Set(level bool) {
	for _, x := range l {
		x.Set(level)
	}
}

// LineFunc makes a Line of a function.
type LineFunc func(level bool)

// Set calls f.
func (f LineFunc) Set(level bool) { f(level) }

// NoLine is an interrupt that is wired to nothing.
var NoLine Line = LineFunc(func(bool) {})

// Output is a device's end of a Line. It passes on changes only, because a
// device that computes its interrupt at each access would otherwise take the
// controllers' locks each time. It is used under the device's lock.
type Output struct {
	line  Line
	level bool
}

// NewOutput drives l, which is low.
func NewOutput(l Line) Output { return Output{line: l} }

// Set passes on a change.
func (o *Output) Set(level bool) {
	if level != o.level {
		o.Force(level)
	}
}

// Force passes on the level even if it has not changed: after a restore.
func (o *Output) Force(level bool) {
	o.level = level
	o.line.Set(level)
}

// Pulse raises a line for an edge-triggered input and lowers it again.
func Pulse(l Line) {
	l.Set(true)
	l.Set(false)
}
