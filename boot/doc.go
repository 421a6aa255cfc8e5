// Package boot loads a guest's kernel, whichever boot protocol the image
// speaks, and prepares the state of its first processor. The protocols are in
// the packages below: boot/linux, boot/pvh and boot/multiboot; boot/layout is
// the address map that they share, boot/acpi and boot/smbios make the
// firmware tables.
//
// Imports allowed: the packages below it but boot/entry, memory, x86.
//
// Sources: IBM PC BIOS data area, as the Multiboot Specification and Linux
// read it; the protocols' own are named in their packages.
package boot
