// Package alarm gives timers that are exact to the nucleus's timer interrupt.
// Go's own wait in epoll_pwait, which counts milliseconds; device models that
// tick faster, such as the PIT, need better.
//
// Imports allowed: nucleus.
package alarm
