package insn

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listing is a line of objdump's.
type listing struct {
	code []byte
	text string
}

// objdump disassembles a file and calls f with each instruction that objdump
// knows, until f says false. It skips the test where objdump is missing.
func objdump(t *testing.T, f func(listing) bool, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("objdump is not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, append([]string{"-w", "--insn-width=15"}, args...)...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if l, ok := parseListing(lines.Text()); ok && !f(l) {
			break
		}
	}
	cancel()
	_ = cmd.Wait() // killed where f had enough
}

// parseListing takes "address: bytes <tab> text" apart. Prefixes that objdump
// prints alone, and bytes that it does not know, are no instructions.
func parseListing(line string) (listing, bool) {
	parts := strings.Split(line, "\t")
	if len(parts) < 3 || strings.Contains(parts[2], "(bad)") || strings.HasPrefix(parts[2], ".byte") {
		return listing{}, false
	}
	code, err := hex.DecodeString(strings.ReplaceAll(parts[1], " ", ""))
	return listing{code, parts[2]}, err == nil && len(code) > 0 && !onlyPrefixes(parts[2])
}

// onlyPrefixes tells whether a line has no mnemonic.
func onlyPrefixes(text string) bool {
	for _, word := range strings.Fields(text) {
		switch word {
		case "lock", "rep", "repz", "repnz", "data16", "data32", "addr16", "addr32", "cs", "ss", "ds", "es", "fs", "gs":
			continue
		}
		if !strings.HasPrefix(word, "rex") {
			return false
		}
	}
	return true
}

// requireLength checks our length of a listed instruction.
func requireLength(t *testing.T, l listing, mode Mode) {
	n, err := Length(append(bytes.Clone(l.code), 0x90, 0x90, 0x90), mode)
	require.NoError(t, err, "%x %s", l.code, l.text)
	require.Equal(t, len(l.code), n, "%x %s", l.code, l.text)
}

// TestAgainstObjdump compares lengths over this test program's own text, and
// that nearly every instruction has a meaning.
func TestAgainstObjdump(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	total, unknown := 0, 0
	objdump(t, func(l listing) bool {
		total++
		requireLength(t, l, Mode64)
		if _, err := Decode(l.code, Mode64); errors.Is(err, ErrUnsupported) {
			unknown++
		} else {
			require.NoError(t, err, "%x %s", l.code, l.text)
		}
		return total < 100000
	}, "-d", self)
	require.Greater(t, total, 10000)
	require.LessOrEqual(t, unknown, total/1000)
}

// TestRandomAgainstObjdump compares lengths over random bytes in each mode.
func TestRandomAgainstObjdump(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	noise := make([]byte, 50000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	file := filepath.Join(t.TempDir(), "noise")
	require.NoError(t, os.WriteFile(file, noise, 0o600))
	for machine, mode := range map[string]Mode{"i8086": Mode16, "i386": Mode32, "i386:x86-64": Mode64} {
		t.Run(machine, func(t *testing.T) {
			total := 0
			objdump(t, func(l listing) bool {
				if !objdumpDiffers(l) {
					total++
					requireLength(t, l, mode)
				}
				return true
			}, "-D", "-b", "binary", "-m", machine, file)
			require.Greater(t, total, 10000)
		})
	}
}

// objdumpDiffers tells where objdump means something else: it joins FWAIT with
// the instruction behind it, knows the test registers of old processors, and
// lets a REX before VEX pass, which is #UD.
func objdumpDiffers(l listing) bool {
	const fwait = 0x9B
	joined := bytes.IndexByte(l.code, fwait) >= 0 && strings.Contains(" "+l.text, " f")
	return joined || strings.Contains(l.text, "%tr") || strings.Contains(l.text, "rex")
}
