// Package boottest gives the loaders' tests a guest memory on plain Linux, and
// images to load.
//
// Imports allowed: boot/layout, memory, x86, x86/asm.
//
// Sources: those of the packages that it tests.
package boottest
