package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersionLine(t *testing.T) {
	require.Equal(t, "QEMU emulator version 7.2.22 (Debian)", versionLine("QEMU emulator version 7.2.22 (Debian)\nCopyright\n"))
	require.Equal(t, "Bochs x86 Emulator 2.7", versionLine("=====\n      Bochs x86 Emulator 2.7\n  Built from SVN\n"))
	require.NotEmpty(t, versionLine("usage: ...\n"))
}
