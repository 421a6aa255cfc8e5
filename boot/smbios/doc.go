// Package smbios makes the guest's SMBIOS 3 entry point and structures: who
// made the machine, its identity, its processor and its memory.
//
// Imports allowed: boot/layout, memory.
//
// Source: DMTF DSP0134, "System Management BIOS (SMBIOS) Reference
// Specification" 3.2, sections 5.2.2 "SMBIOS 3.0 (64-bit) Entry Point" and 7
// "Structure definitions".
package smbios
