package tiny

import (
	. "ringo/x86/asm"
)

// Print prints text.
func (g *Guest) Print(s string) {
	label := g.Unique("text")
	g.texts = append(g.texts, text{label, s})
	g.Lea(RSI, At(label))
	g.Call("puts")
}

// PrintHex prints RAX with 16 hexadecimal digits.
func (g *Guest) PrintHex() { g.Call("hex") }

// PrintDecimal prints RAX as an unsigned decimal number.
func (g *Guest) PrintDecimal() { g.Call("decimal") }

// Exit ends the guest with a value.
func (g *Guest) Exit(value uint8) {
	g.Mov(AL, Imm(value))
	g.Jmp("exit")
}

// Fail prints a reason and ends the guest with ExitFailed.
func (g *Guest) Fail(reason string) {
	g.Print("FAIL " + reason + "\n")
	g.Exit(ExitFailed)
}

func (g *Guest) consoleCode() {
	exitCode(g.Asm)
	g.Label("puts") // RSI
	g.Lods(8)
	g.Test(AL, AL)
	g.JccShort(Z, "puts.end")
	g.Call("putc")
	g.JmpShort("puts")
	g.Label("puts.end")
	g.Ret()

	g.Label("hex") // RAX
	g.Mov(RSI, RAX)
	g.Mov(ECX, Imm(16))
	g.Label("hex.next")
	g.Rol(RSI, Imm(4))
	g.Mov(EAX, ESI)
	g.And(EAX, Imm(15))
	g.Add(EAX, Imm('0'))
	g.Cmp(EAX, Imm('9'))
	g.JccShort(BE, "hex.digit")
	g.Add(EAX, Imm('a'-'9'-1))
	g.Label("hex.digit")
	g.Call("putc")
	g.Loop("hex.next")
	g.Ret()

	g.Label("decimal") // RAX; the digits come out last first
	g.Xor(ECX, ECX)
	g.Mov(ESI, Imm(10))
	g.Label("decimal.next")
	g.Xor(EDX, EDX)
	g.Div(RSI)
	g.Push(RDX)
	g.Inc(ECX)
	g.Test(RAX, RAX)
	g.JccShort(NZ, "decimal.next")
	g.Label("decimal.digit")
	g.Pop(RAX)
	g.Add(AL, Imm('0'))
	g.Call("putc")
	g.Loop("decimal.digit")
	g.Ret()

	putcCode(g.Asm)
}

// putcCode emits "putc": it sends AL, and changes only RAX and RDX.
func putcCode(a *Asm) {
	const lsr, empty = 5, 1 << 5
	a.Label("putc")
	a.Mov(AH, AL)
	a.Mov(DX, Imm(SerialPort+lsr))
	a.Label("putc.wait")
	a.In(AL, DX)
	a.Test(AL, Imm(empty))
	a.JccShort(Z, "putc.wait")
	a.Mov(DX, Imm(SerialPort))
	a.Mov(AL, AH)
	a.Out(DX, AL)
	a.Ret()
}

// exitCode emits "exit": it ends the guest with AL.
func exitCode(a *Asm) {
	a.Label("exit")
	a.Out(Imm(ExitPort), AL)
	a.Label("exit.halt")
	a.Cli()
	a.Hlt()
	a.JmpShort("exit.halt")
}
