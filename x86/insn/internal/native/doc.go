// Package native executes single arithmetic instructions on the processor that
// runs the tests, so that the emulator's results and flags can be compared
// with real ones. Nothing but tests imports it; it imports nothing.
package native
