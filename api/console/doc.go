// Package console is Ringo's own console on a serial line: an administrator
// types commands, looks at VMs, and attaches to the console of one.
//
// One goroutine owns the screen. It waits for keys, for output of the VM that
// it is attached to, for changes of VMs and for lines of the log; commands run
// beside it, so that a slow one can be interrupted. What waits is bounded
// everywhere: a guest that prints without end loses its own oldest output, and
// nothing else.
//
// The terminal at the other end is assumed to know the control sequences of
// ECMA-48 (any VT100 does) and to be 80 columns wide.
//
// Imports allowed: api/node, api/bundle, hv (states and statistics).
//
// Sources: ECMA-48 "Control Functions for Coded Character Sets", sections 5.4
// "Control sequences", 8.3.20 "CUF" and 8.3.41 "EL".
package console
