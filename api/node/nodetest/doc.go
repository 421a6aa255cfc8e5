// Package nodetest gives tests a machine for a node on plain Linux: the fake
// backend of hv/hvtest, an arena for memory, and a guest that a test talks to
// on its serial port.
//
// All of it runs in a bubble of testing/synctest: the guest waits by HLT, so
// that synctest.Wait returns when nothing is left to be done.
//
// Imports allowed: api/bundle, api/node, boot/layout, hv, hv/hvtest, memory,
// x86, x86/asm.
//
// Sources: those of hv/hvtest; Multiboot Specification 0.6.96 section 3.1 "OS
// image format"; Intel 8259A datasheet, "Initialization Command Words".
package nodetest
