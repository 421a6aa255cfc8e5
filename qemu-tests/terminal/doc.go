// Command terminal runs build/ringo in Bochs, which has VT-x and EPT, with the
// serial port on this terminal.
//
//	terminal [-bundle FILE] [-options WORDS] [-smp N] [-memory SIZE]
//
// It is called in the folder of go.mod, by "make run EMULATOR=bochs". Ctrl-A,
// then x, ends the emulator. The terminal's settings are changed and restored
// by stty.
//
// Imports allowed: qemu-tests.
package main
