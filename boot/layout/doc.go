// Package layout is the guest-physical address map of machine version
// ringo-1: where RAM is, where the fixed devices answer, what a loader may
// use, and the memory map that a guest is told (e820).
//
// Imports allowed: memory.
//
// Sources: ACPI Specification 6.3 chapter 15 "System Address Map Interfaces";
// Linux documentation, "The Linux/x86 Boot Protocol", section "Memory Layout".
package layout
