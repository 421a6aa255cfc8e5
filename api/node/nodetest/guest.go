package nodetest

import (
	"ringo/boot/layout"
	"ringo/x86"
	"ringo/x86/asm"
)

// kernels are the guests by the name that ringo.yaml uses.
//
//	talk   prints "ready" and echoes; a typed Q turns it off, C is a triple
//	       fault, R resets it, E ends it by the debug-exit port with code 7,
//	       P prints 26 lines, T prints until it is stopped; the power button
//	       turns it off
//	deaf   is talk without an ear for the power button
//	crash  is a triple fault at once
//	broken is no kernel
var kernels = map[string]func(*asm.Asm){
	"talk":   func(a *asm.Asm) { talk(a, true) },
	"deaf":   func(a *asm.Asm) { talk(a, false) },
	"crash":  tripleFault,
	"broken": nil,
}

const (
	base     = 0x10_0000
	stack    = 0x8_0000
	codeSel  = 0x10 // as the loader's GDT has it
	gate     = 0x8E00
	vectors  = 0x30
	comIRQ   = 0x20 + layout.COM1IRQ
	sciIRQ   = 0x20 + layout.SCIIRQ
	pm1En    = layout.PM1EventPort + 2
	pwrBtn   = 1 << 8
	soft     = layout.S5SleepType<<10 | 1<<13
	eoi      = 0x20
	uartIER  = layout.COM1Port + 1
	uartFCR  = layout.COM1Port + 2
	uartMCR  = layout.COM1Port + 4
	uartLSR  = layout.COM1Port + 5
	lsrReady = 1
)

// assemble makes a Multiboot image that runs code in 32-bit mode.
func assemble(code func(*asm.Asm)) ([]byte, error) {
	if code == nil {
		return make([]byte, 4096), nil
	}
	const magic, addresses, header = 0x1BADB002, 1 << 16, 32
	sum := uint32(magic)
	sum += addresses
	a := asm.New(asm.Bits32, base)
	a.Data32(magic, addresses, -sum, base, base, 0, 0, base+header)
	code(a)
	return a.Bytes()
}

// talk is a guest that does what is typed.
func talk(a *asm.Asm, button bool) {
	a.Jmp("start")
	handleSerial(a)
	handleSCI(a)
	handleNMI(a)
	interruptTable(a)
	a.Label("start")
	a.Mov(asm.ESP, asm.Imm(stack))
	a.Lidt(asm.At("idtr"))
	setUpPIC(a)
	out8(a, uartFCR, 1)
	out8(a, uartIER, 1)
	out8(a, uartMCR, 0x0B)
	if button {
		out16(a, pm1En, pwrBtn)
	}
	write(a, "ready\r\n")
	a.Sti()
	a.Label("idle")
	a.Hlt()
	a.Jmp("idle")
}

// handleSerial takes every byte that was typed.
func handleSerial(a *asm.Asm) {
	a.Label("serial")
	a.Mov(asm.DX, asm.Imm(uartLSR))
	a.In(asm.AL, asm.DX)
	a.Test(asm.AL, asm.Imm(lsrReady))
	a.Jcc(asm.E, "taken")
	a.Mov(asm.DX, asm.Imm(layout.COM1Port))
	a.In(asm.AL, asm.DX)
	for _, k := range "QCREPT" {
		a.Cmp(asm.AL, asm.Imm(k))
		a.Jcc(asm.E, string(k))
	}
	a.Out(asm.DX, asm.AL)
	a.Jmp("serial")
	a.Label("taken")
	a.Mov(asm.AL, asm.Imm(eoi))
	a.Out(asm.Imm(layout.PIC1Port), asm.AL)
	a.Iret(32)

	a.Label("Q")
	out16(a, layout.PM1CntPort, soft)
	a.Jmp("serial")
	a.Label("C")
	tripleFault(a)
	a.Label("R")
	out8(a, layout.ResetPort, layout.ResetValue)
	a.Jmp("serial")
	a.Label("E")
	out8(a, layout.DebugExitPort, 7)
	a.Jmp("serial")
	a.Label("P")
	for c := 'A'; c <= 'Z'; c++ {
		write(a, "line "+string(c)+"\r\n")
	}
	a.Jmp("serial")
	a.Label("T")
	a.Out(asm.DX, asm.AL)
	a.Jmp("T")
}

// handleSCI turns the machine off at the power button.
func handleSCI(a *asm.Asm) {
	a.Label("sci")
	write(a, "power button\r\n")
	out16(a, layout.PM1EventPort, pwrBtn)
	out16(a, layout.PM1CntPort, soft)
	a.Iret(32)
}

// handleNMI says that one came.
func handleNMI(a *asm.Asm) {
	a.Label("nmi")
	write(a, "nmi\r\n")
	a.Iret(32)
}

// interruptTable has gates for the interrupts; the labels are defined.
func interruptTable(a *asm.Asm) {
	a.Align(8, 0)
	a.Label("idt")
	for v := range vectors {
		label := map[int]string{x86.VectorNMI: "nmi", comIRQ: "serial", sciIRQ: "sci"}[v]
		if label == "" {
			a.Data64(0)
			continue
		}
		at, err := a.Address(label)
		if err != nil {
			a.Fail(err)
		}
		a.Data16(uint16(at), codeSel, gate, uint16(at>>16))
	}
	a.Label("idtr")
	a.Data16(vectors*8 - 1)
	a.DataAddr(32, "idt", 0)
}

// setUpPIC has both chips deliver from vector 20H on, only what is used.
func setUpPIC(a *asm.Asm) {
	const pic1, pic2 = layout.PIC1Port, layout.PIC2Port
	for _, w := range []struct{ port, v uint16 }{
		{pic1, 0x11}, {pic1 + 1, 0x20}, {pic1 + 1, 4}, {pic1 + 1, 1}, {pic1 + 1, 0xFF &^ (1<<layout.COM1IRQ | 1<<2)},
		{pic2, 0x11}, {pic2 + 1, 0x28}, {pic2 + 1, 2}, {pic2 + 1, 1}, {pic2 + 1, 0xFF &^ (1 << (layout.SCIIRQ - 8))},
	} {
		out8(a, w.port, uint8(w.v))
	}
}

// tripleFault takes the interrupt table away and then needs it.
func tripleFault(a *asm.Asm) {
	a.Mov(asm.EAX, asm.Imm(stack))
	a.Mov(asm.ESP, asm.EAX)
	a.Push(asm.Imm(0))
	a.Push(asm.Imm(0))
	a.Lidt(asm.Mem{Base: asm.ESP})
	a.Raw(0x0F, 0x0B) // UD2
}

func out8(a *asm.Asm, port uint16, v uint8) {
	a.Mov(asm.DX, asm.Imm(port))
	a.Mov(asm.AL, asm.Imm(v))
	a.Out(asm.DX, asm.AL)
}

func out16(a *asm.Asm, port, v uint16) {
	a.Mov(asm.DX, asm.Imm(port))
	a.Mov(asm.AX, asm.Imm(v))
	a.Out(asm.DX, asm.AX)
}

// write prints on the serial port, and leaves its number in DX.
func write(a *asm.Asm, text string) {
	a.Mov(asm.DX, asm.Imm(layout.COM1Port))
	for _, c := range []byte(text) {
		a.Mov(asm.AL, asm.Imm(c))
		a.Out(asm.DX, asm.AL)
	}
}
