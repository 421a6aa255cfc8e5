// Package multiboot loads kernels by the Multiboot Specification version
// 0.6.96 (multiboot 1): ELF files, and files of any format whose header gives
// the load addresses itself.
//
// Imports allowed: boot/image, boot/layout, memory, x86.
//
// Sources: Multiboot Specification, sections 3.1 "OS image format", 3.2
// "Machine state", 3.3 "Boot information format".
package multiboot
