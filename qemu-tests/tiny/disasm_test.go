package tiny

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/x86/asm"
	"ringo/x86/asm/asmtest"
)

func TestDisassembly(t *testing.T) {
	in64 := func(build func(g *Guest)) func(a *asm.Asm) {
		return func(a *asm.Asm) { long(a, build) }
	}
	for name, build := range map[string]func(a *asm.Asm){
		"hello":        in64(hello),
		"exit code":    exitWith(1),
		"triple fault": tripleFault,
		"spin":         spin,
		"tickcheck":    in64(tickCheck(10)),
		"closed":       in64(closed(10)),
		"smp":          in64(smp(4, 10)),
		"canary":       in64(canary(CanaryOptions{Rounds: 1, Seed: 1})),
		"bench":        in64(bench(BenchOptions{MMIO: 0xfec00000, Hypercalls: true})),
		"move":         in64(move(MoveOptions{Rounds: 3})),
		"chaos":        in64(chaos(ChaosOptions{Seed: 1, Kernel: true})),
		"real entry":   func(a *asm.Asm) { realEntry(a, func(*asm.Asm) {}, nil) },
	} {
		t.Run(name, func(t *testing.T) { asmtest.Check(t, assemble(build)) })
	}
	blob := asmtest.Check(t, realBlob(realProgram(1, 1)))
	require.Less(t, len(blob), realStack)
}

func TestPVHFile(t *testing.T) {
	f, err := elf.NewFile(bytes.NewReader(Hello()))
	require.NoError(t, err)
	require.Equal(t, elf.EM_X86_64, f.Machine)
	require.Len(t, f.Progs, 2)
	require.Equal(t, elf.PT_LOAD, f.Progs[0].Type)
	require.Equal(t, uint64(LoadAddress), f.Progs[0].Paddr)
	require.LessOrEqual(t, f.Progs[0].Paddr+f.Progs[0].Memsz, uint64(pageTables))
	var note pvhNote
	require.NoError(t, binary.Read(f.Progs[1].Open(), binary.LittleEndian, &note))
	require.Equal(t, pvhNote{NameSize: 4, DescSize: 8, Type: 18, Name: [4]byte{'X', 'e', 'n'}, Entry: LoadAddress}, note)
}

func TestMistakePanics(t *testing.T) {
	require.Panics(t, func() { PVH(func(a *asm.Asm) { a.Jmp("nowhere") }) })
}
