// Package pvh loads an ELF kernel that carries a PVH entry point, such as an
// uncompressed vmlinux: a note of type XEN_ELFNOTE_PHYS32_ENTRY gives a
// physical address that is entered in 32-bit protected mode without paging,
// with EBX pointing at struct hvm_start_info.
//
// Imports allowed: boot/image, boot/layout, memory, x86.
//
// Sources: Xen documentation, "x86/HVM direct boot ABI" (PVH); Xen public
// headers arch-x86/hvm/start_info.h and elfnote.h.
package pvh
