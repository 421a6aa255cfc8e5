// Package npt is the entry format of AMD's nested page tables. The walker is
// memory.Table.
//
// Imports allowed: memory, x86.
//
// Sources: AMD APM volume 2, sections 15.25.5 "Nested Table Walk", 15.25.6
// "Nested versus Guest Page Faults, Fault Ordering", 15.25.8 "Combining Memory
// Types, MTRRs", 5.3 "Long-Mode Page Translation" and 7.8 "Page-Attribute Table
// Mechanism".
package npt
