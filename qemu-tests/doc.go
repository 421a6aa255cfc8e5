// Package qemutests runs Ringo and its guests in emulated machines: one
// Stanza per test says which machine, which bundle and which script of the
// console, and Run carries it out and gives a verdict.
//
// QEMU plays machines with AMD-V, Bochs those with VT-x. Bochs has no way to
// load a kernel itself, so the image goes onto a CD with GRUB (scripts/iso.sh).
//
// The emulators run in process groups of their own, at most two at once, each
// with a time limit, and are always ended by the one that started them. The
// whole console of each is kept in build/qemu-tests/NAME.log.
//
// "go test ./qemu-tests" runs all stanzas. What cannot run here (no emulator,
// no image) is skipped with its reason; with RINGO_REQUIRE_QEMU=1, as "make
// test" sets it, a missing emulator, image or guest is a failure.
//
// Imports allowed: api/bundle, qemu-tests/tiny.
package qemutests
