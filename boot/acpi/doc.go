// Package acpi makes the guest's ACPI tables: RSDP, XSDT, FADT, FACS, MADT and
// a DSDT, with the addresses of boot/layout.
//
// The machine always is in ACPI mode (no SMI command port), has a fixed
// hardware power button, a PM timer, a reset register and the legacy devices.
//
// Imports allowed: boot/acpi/aml, boot/layout, memory.
//
// Sources: ACPI Specification 6.3, chapters 5 "ACPI Software Programming
// Model", 4 "ACPI Hardware Specification" and 8 "Processor Configuration and
// Control".
package acpi
