package main

import (
	"context"
	"time"

	qemutests "ringo/qemu-tests"
	"ringo/qemu-tests/bench/internal/trace"
	"ringo/qemu-tests/tiny"
	"ringo/x86/asm"
)

// loop is a guest that does one thing without end.
type loop struct {
	name string
	body func(g *tiny.Guest)
}

// loops are the exits whose instructions are counted. Registers that the
// instruction needs are set each time: that is the guest's share.
var loops = []loop{
	{"cpuid", func(g *tiny.Guest) {
		g.Xor(asm.EAX, asm.EAX)
		g.Cpuid()
	}},
	{"port-read", func(g *tiny.Guest) {
		g.Mov(asm.EDX, asm.Imm(portCounter))
		g.In(asm.AL, asm.DX)
	}},
	{"mmio-write", func(g *tiny.Guest) {
		g.Mov(asm.EDI, asm.Imm(mmioIOAPIC))
		g.Mov(asm.Ptr(asm.RDI, 0), asm.EAX)
	}},
}

// traceWarmUp is how often a loop runs before it is traced.
const traceWarmUp = 200

// traceReady is what a loop prints before it begins.
const traceReady = "the loop begins"

// heavy counts the expensive instructions per exit.
func (l *lab) heavy(ctx context.Context) []Row {
	var rows []Row
	for _, loop := range loops {
		path, err := l.trace(ctx, l, loop)
		if err != nil {
			rows = append(rows, failed(err, append(budgetsOf(l.budgets, loop.name+": "), loop.name+": host instructions")...)...)
			continue
		}
		rows = append(rows, heavyRows(loop.name, path, l.budgets)...)
	}
	return rows
}

// heavyRows reports one path: all instructions, and by class those that it has
// and those that have a budget.
func heavyRows(name string, p trace.Path, budgets []budget) []Row {
	rows := []Row{newRow(name+": host instructions", unitCount, float64(p.Instructions))}
	for class := trace.ClassPlain + 1; class < trace.NumClasses; class++ {
		row := newRow(name+": "+class.String(), unitCount, float64(p.Counts[class]))
		if _, ok := budgetOf(budgets, row.Name); ok || row.Value > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

// traceRun boots a guest that repeats a loop, after a warm-up, without end.
func traceRun(loop loop) qemutests.Stanza {
	return qemutests.Stanza{
		Name: "bench-trace-" + loop.name, About: "instructions per exit: " + loop.name, Timeout: time.Minute,
		Config: tinyConfig,
		Files: map[string]qemutests.Source{"guest": {Bytes: func() []byte {
			return tiny.Long(func(g *tiny.Guest) {
				g.Mov(asm.R15D, asm.Imm(traceWarmUp))
				g.Label("warm")
				loop.body(g)
				g.Dec(asm.R15D)
				g.Jcc(asm.NZ, "warm")
				g.Print(traceReady + "\n")
				g.Xchg(asm.BX, asm.BX) // stops Bochs
				g.Label("again")
				loop.body(g)
				g.Jmp("again")
			})
		}}},
	}
}
