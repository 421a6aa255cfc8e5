// Package linux loads a bzImage by the Linux boot protocol: by its 64-bit
// entry where the kernel has one, else by its 32-bit entry. The real-mode part
// of the image never runs.
//
// Imports allowed: boot/image, boot/layout, memory, x86.
//
// Sources: Linux documentation, "The Linux/x86 Boot Protocol", sections "The
// Real-Mode Kernel Header", "32-bit Boot Protocol" and "64-bit Boot Protocol";
// "Zero Page".
package linux
