package tiny

import (
	. "ringo/x86/asm"
)

// Hello prints a line and exits with 0.
func Hello() []byte { return Long(hello) }

func hello(g *Guest) { g.Print("hello from a tiny guest\n") }

// ExitCode exits with a value, from the 32-bit entry and without a print.
func ExitCode(value uint8) []byte { return PVH(exitWith(value)) }

func exitWith(value uint8) func(a *Asm) {
	return func(a *Asm) {
		a.Mov(AL, Imm(value))
		exitCode(a)
	}
}

// TripleFault raises an exception with an empty IDT.
func TripleFault() []byte { return PVH(tripleFault) }

func tripleFault(a *Asm) {
	a.Lidt(At("idtr"))
	a.Ud2()
	a.Label("idtr")
	a.Data16(0)
	a.Data32(0)
}

// Spin never exits by itself: a loop with interrupts off.
func Spin() []byte { return PVH(spin) }

func spin(a *Asm) {
	a.Cli()
	a.Label("spin")
	a.JmpShort("spin")
}
