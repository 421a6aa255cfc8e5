package nucleus

import (
	"unsafe"

	"ringo/nucleus/reg"
)

// The first serial port, polled: for what is said before the console driver
// runs, by the runtime's own prints, and when all else has failed.

const com1 = 0x3f8

var consoleLock spinlock

// earlySerial sets 115200 baud, 8 bits, no parity, FIFOs on.
func earlySerial() {
	reg.Out8(com1+1, 0)
	reg.Out8(com1+3, 0x80)
	reg.Out8(com1, 1)
	reg.Out8(com1+1, 0)
	reg.Out8(com1+3, 3)
	reg.Out8(com1+2, 0x07)
	reg.Out8(com1+4, 0x0b)
}

func serialByte(ch byte) {
	for i := 0; i < 1<<16 && reg.In8(com1+5)&0x20 == 0; i++ {
		pause()
	}
	reg.Out8(com1, ch)
}

func serialText(p uintptr, n uint64) {
	for i := uint64(0); i < n; i++ {
		ch := load8(p + uintptr(i))
		if ch == '\n' {
			serialByte('\r')
		}
		serialByte(ch)
	}
}

// consoleWrite serves write(2) on the standard output and error.
func consoleWrite(buf uintptr, n uint64) {
	consoleLock.lock()
	serialText(buf, n)
	consoleLock.unlock()
}

func earlyPrint(s string) { serialText(uintptr(unsafe.Pointer(unsafe.StringData(s))), uint64(len(s))) }

func earlyHex(v uint64) {
	for shift := 60; shift >= 0; shift -= 4 {
		serialByte("0123456789abcdef"[v>>uint(shift)&15])
	}
}

func earlyDec(v uint64) {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + v%10)
		v /= 10
		if v == 0 || i == 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		serialByte(b[i])
	}
}
