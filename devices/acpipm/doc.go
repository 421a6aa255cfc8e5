// Package acpipm is the fixed hardware of ACPI power management: the PM1a
// event and control registers with the power button, the PM timer, soft-off,
// and the reset register. The machine is always in ACPI mode, as an FADT
// without SMI command port says.
//
// Imports allowed: devices, snapshot.
//
// Source: ACPI specification 6.5, sections 4.8.3 "Fixed Hardware Features"
// and 4.8.3.6 "Reset Register"; Intel PIIX and ICH datasheets for port CF9H,
// "Reset Control Register".
package acpipm
