// Package image is what the guest loaders share: the request and its answer,
// the plan of which guest memory holds what, copying a file into guest
// memory, ELF program headers and notes, and the processor states at a
// kernel's first instruction.
//
// An image is hostile: every number in it is checked before it is used, what
// is kept of it on the host has a fixed bound, and nothing is written outside
// memory that the plan has given to it.
//
// Imports allowed: boot/layout, memory, x86.
//
// Sources: System V ABI, chapter 5 "Program Loading and Dynamic Linking";
// Intel SDM volume 3A chapters 3 "Protected-Mode Memory Management" and 4
// "Paging".
package image
