package hv

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/memory"
	"ringo/x86"
)

// TestPDPTEsOfAnotherVendor: a state in PAE paging that was saved without its
// top entries gets them from memory before it runs; one that has them keeps
// them.
func TestPDPTEsOfAnotherVendor(t *testing.T) {
	const table = 0x3000
	inMemory := [4]uint64{0x4001, 0, 0x6001, 0}
	saved := [4]uint64{0x7001, 0x8001, 0, 0}
	for name, c := range map[string]struct {
		cr3, efer    uint64
		pdpte, want  [4]uint64
		firstInTable uint64
	}{
		"none saved":  {cr3: table, want: inMemory, firstInTable: inMemory[0]},
		"saved":       {cr3: table, pdpte: saved, want: saved, firstInTable: inMemory[0]},
		"long mode":   {cr3: table, efer: x86.EFERLME | x86.EFERLMA, firstInTable: inMemory[0]},
		"not RAM":     {cr3: 0xF000_0000, firstInTable: inMemory[0]},
		"reserved":    {cr3: table, firstInTable: 0x4001 | 1<<5},
		"not present": {cr3: table, want: [4]uint64{1 << 5, 0, 0x6001, 0}, firstInTable: 1 << 5},
	} {
		t.Run(name, func(t *testing.T) {
			v := newTestVM(t, nil, forever)
			require.NoError(t, v.Start())
			require.NoError(t, v.Pause(context.Background()))
			p := binary.LittleEndian.AppendUint64(nil, c.firstInTable)
			for _, e := range inMemory[1:] {
				p = binary.LittleEndian.AppendUint64(p, e)
			}
			require.NoError(t, v.board.space.WriteAt(p, memory.GPA(table)))
			cpu := v.board.cpus[0]
			s := cpu.store(x86.GroupCR)
			s.CR0, s.CR3, s.CR4, s.EFER = s.CR0|x86.CR0PG, c.cr3, x86.CR4PAE, c.efer
			s.PDPTE = c.pdpte
			cpu.load(x86.GroupCR)
			var stream bytes.Buffer
			require.NoError(t, v.Save(&stream, SaveOptions{Memory: true}))
			v.close(t)

			w := newTestVM(t, nil, forever)
			require.NoError(t, w.Restore(&stream))
			got := w.board.cpus[0]
			require.Equal(t, c.pdpte, got.store(x86.GroupCR).PDPTE, "as saved, until it runs")
			w.board.loadPDPTEs()
			require.Equal(t, c.want, got.store(x86.GroupCR).PDPTE)
			w.close(t)
		})
	}
}

// TestResumeLoadsPDPTEs: the first Resume after a Restore does it.
func TestResumeLoadsPDPTEs(t *testing.T) {
	v := newTestVM(t, nil, forever)
	require.NoError(t, v.Start())
	require.NoError(t, v.Pause(context.Background()))
	cpu := v.board.cpus[0]
	entry := binary.LittleEndian.AppendUint64(nil, 0x4001)
	require.NoError(t, v.board.space.WriteAt(entry, 0x3000))
	s := cpu.store(x86.GroupCR | x86.GroupInterrupt)
	s.CR0, s.CR3, s.CR4, s.Activity = s.CR0|x86.CR0PG, 0x3000, x86.CR4PAE, x86.ActivityWaitSIPI
	cpu.load(x86.GroupCR | x86.GroupInterrupt)
	var stream bytes.Buffer
	require.NoError(t, v.Save(&stream, SaveOptions{Memory: true}))
	v.close(t)

	w := newTestVM(t, nil, forever)
	require.NoError(t, w.Restore(&stream))
	require.NoError(t, w.Resume())
	require.NoError(t, w.Pause(context.Background()))
	require.Equal(t, [4]uint64{0x4001}, w.board.cpus[0].store(x86.GroupCR).PDPTE)
	w.close(t)
}
