// Command mkdemo builds initial RAM disks for guests: what the demonstration
// and the tests boot.
//
//	mkdemo -o DIR [IMAGE...]     IMAGE: demo, test, bench; all if none is named
//
// It is called in the folder of go.mod and writes DIR/initramfs-IMAGE.cpio.
//
// Imports allowed: qemu-tests/initramfs.
package main
