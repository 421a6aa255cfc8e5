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

// Pulse raises a line for an edge-triggered input and lowers it again.
func Pulse(l Line) {
	l.Set(true)
	l.Set(false)
}
