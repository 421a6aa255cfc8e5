// Package ept is the entry format of Intel's extended page tables. The walker
// is memory.Table.
//
// Imports allowed: memory.
//
// Sources: Intel SDM volume 3C, sections 29.3.2 "EPT Translation Mechanism",
// 29.3.3 "EPT-Induced VM Exits" (misconfigurations), 29.3.5 "Accessed and Dirty
// Flags for EPT" and 29.3.7 "EPT and Memory Typing".
package ept
