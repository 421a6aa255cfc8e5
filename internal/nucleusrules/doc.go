// Package nucleusrules holds the linked image to the rules of nucleus code:
// what runs on a fake g with interrupts disabled, possibly with a guest's
// vector state in the registers, makes no write barrier, allocates nothing,
// uses no map, interface conversion, defer, lock of the runtime or VEX
// instruction, and stays within the stack of its fake g.
//
// The image is judged, not its source, because only the compiler decides
// where an allocation or a call of the runtime comes from. Scan follows the
// flow of one function from its first instruction and tells what it calls and
// how deep its stack is there; Check walks these calls from the entries of the
// nucleus. Check knows functions by name only and takes them from a Source, so
// that tests can show on small graphs that every rule fails when it should.
//
// What the walk cannot see has to be told (Rules): which functions a func
// variable may hold, and which functions call a parameter. An indirect call
// that is explained by neither is a failure itself.
//
// Imports allowed: x86/insn, golang.org/x/arch/x86/x86asm.
//
// Sources: Intel SDM volume 2A chapter 2 "Instruction Format" (VEX and EVEX
// prefixes), AMD APM volume 3 section 1.2.2 "XOP and VEX Instruction Formats",
// the Go internal ABI specification, and cmd/compile's runtime calls.
package nucleusrules
