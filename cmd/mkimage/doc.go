// Command mkimage wraps the linked host ELF into the bootable file:
//
//	mkimage -o build/ringo build/ringo.elf
//
// It reads the loadable segments of a statically linked 64-bit x86 ELF,
// flattens them by virtual address and lets boot/entry put the boot protocol's
// header and entry code in front. The file appears whole or not at all.
//
// It imports ringo/boot/entry and the standard library.
//
// Sources: the System V ABI's "Object Files" and "Program Loading" chapters;
// boot/entry for the boot protocol.
package main
