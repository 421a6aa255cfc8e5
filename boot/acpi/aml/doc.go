// Package aml encodes ACPI Machine Language: the terms that a definition block
// of ours consists of, and resource descriptors. Terms are bytes; a term that
// holds others takes them as arguments, so a table reads like its ASL source.
//
// Everything that is encoded is the host's own and known when Ringo is built,
// so an impossible name or value is a mistake in the program and panics.
//
// Imports allowed: none of the project.
//
// Sources: ACPI Specification 6.3, chapter 20 "ACPI Machine Language (AML)
// Specification" and section 6.4 "Resource Data Types for ACPI".
package aml
