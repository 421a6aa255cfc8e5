// Package entry makes what stands between a boot loader and the host image:
// the Linux-boot-protocol file around the linked ELF, the code that takes the
// processor to 64-bit mode and hands over (Handoff), and the code that an
// application processor starts with (APTrampoline). All of it is pure
// functions that return bytes; the machine code comes from ringo/x86/asm.
//
// The file has three parts:
//
//	setup       sectors: the setup header and the 16-bit entry, which asks the
//	            BIOS for the memory map and goes to 32-bit mode
//	head        32-bit entry at 0, 64-bit entry at 0x200, the hand-off record,
//	            the AP trampoline, the boot stack
//	payload     the image's segments, flattened by virtual address
//
// The loader puts head and payload at any page below 4 GiB. Behind the
// payload's file part follow in memory, not in the file: its bss, then the
// boot page tables. The first 0x1f1 bytes of the file are zero: the room that
// a PE header for UEFI needs, with "MZ" at 0 and its pointer at 0x3c.
//
// The host starts at the ELF's entry point in 64-bit mode with interrupts off,
// RDI = physical address of the Handoff record, RSP = top of a 16 KiB stack
// (at its direct-map address), the GDT null, code 0x08, data 0x10, an empty
// IDT, CR0 PG|WP|NE|ET|MP|PE, CR4 PAE|OSFXSR|OSXMMEXCPT, EFER LME|LMA and NXE
// where the processor has it. Its page tables map
//
//	0 to 4 GiB             identity, but for the 4 KiB pages of
//	ImageVirt, ImageSize   the image, wherever it was loaded
//	DirectMap + 0 to 4 GiB the same physical addresses, with no exception
//
// The image's virtual range hides the physical memory of the same numbers, so
// an arbitrary physical address is read through DirectMap.
//
// It imports ringo/x86/asm and the standard library.
//
// Sources: the Linux kernel's documentation, "The Linux/x86 Boot Protocol",
// version 2.15, and "The zero page"; AMD APM volume 2 section 14.6.1
// "Entering Long Mode" and chapter 5 "Page Translation and Protection"; Intel
// SDM volume 3A section 10.4 "Multiple-Processor (MP) Initialization".
package entry
