// Package initramfs builds the initial RAM disks that the guests of the tests
// and of the demonstration boot with. All are Go, built offline from the
// module cache, and the same sources give the same bytes:
//
//   - demo: u-root's init, shell and commands in one binary, for a person at
//     the console. The commands are the tools of commands/go.mod, a module of
//     its own so that a shell's dependencies are none of the hypervisor's;
//   - test: one static program, qemu-tests/testinit, that reports what it
//     finds, runs checks and powers off;
//   - bench: one page of machine code that prints the time stamp counter of
//     its first instruction and powers off.
//
// Imports allowed: x86/asm.
//
// Sources: Linux Documentation/filesystems/ramfs-rootfs-initramfs.rst;
// System V ABI, AMD64 supplement, section 4.1 "ELF Header".
package initramfs
