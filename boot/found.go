package boot

import (
	"bytes"
	"fmt"
)

// kinds are files that people give by mistake, by the bytes at an offset.
var kinds = []struct {
	offset int
	magic  string
	name   string
	advice string
}{
	{0, "\x1F\x8B", "a gzip file", "unpack it first"},
	{0, "\xFD7zXZ\x00", "an xz file", "unpack it first"},
	{0, "\x28\xB5\x2F\xFD", "a zstd file", "unpack it first"},
	{0, "BZh", "a bzip2 file", "unpack it first"},
	{0, "070701", "a cpio archive", "is it the initrd?"},
	{0, "070702", "a cpio archive", "is it the initrd?"},
	{0, "QFI\xFB", "a qcow2 disk image", "give the kernel that is in it"},
	{0, "MZ", "an EFI or DOS program", "give a bzImage"},
	{510, "\x55\xAA", "a boot sector or disk image", "give the kernel that is in it"},
	{0, "#!", "a script", "give a kernel"},
}

// multiboot2 is the header's magic number, little-endian.
const multiboot2 = "\xD6\x50\x52\xE8"

// describe says what the start of a file looks like.
func describe(head []byte) string {
	if len(head) == 0 {
		return "an empty file"
	}
	for _, k := range kinds {
		if len(head) > k.offset && bytes.HasPrefix(head[k.offset:], []byte(k.magic)) {
			return fmt.Sprintf("%s; %s", k.name, k.advice)
		}
	}
	if bytes.Contains(head, []byte(multiboot2)) {
		return "a Multiboot 2 image, which is not supported; use Multiboot 1 or PVH"
	}
	return fmt.Sprintf("a file that starts with % x", head[:min(len(head), 8)])
}
