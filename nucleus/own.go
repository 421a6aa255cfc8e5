package nucleus

import (
	"syscall"
	"unsafe"
)

// Calls of our own, by which Go code reaches the nucleus.
const (
	ownCalls = 0x10000 + iota
	callGuestEnter
	callGuestQuick
	callGuestKick
	callAllocBlock
	callFreeBlock
	callEachCPU
	callBindISA
	callUnmaskIRQ
	callMapMMIO
	callNewAlarm
	callSetAlarm
	callFreeAlarm
	callPowerOff
	callReboot
)

func ownCall(t *Thread, n uint64) *Thread {
	a0, a1 := t.Regs.RDI, t.Regs.RSI
	var v uint64
	switch n {
	case callGuestEnter:
		return enterGuest(t, (*Guest)(unsafe.Pointer(uintptr(a0))))
	case callGuestKick:
		(*Guest)(unsafe.Pointer(uintptr(a0))).Wake()
	case callAllocBlock:
		v = uint64(allocBlock(uint(a0)))
	case callFreeBlock:
		freeBlock(phys(a0), uint(a1))
	case callEachCPU:
		callAll()
	case callBindISA:
		v = bindISA(a0, a1)
	case callUnmaskIRQ:
		v = unmaskIRQ(a0)
	case callMapMMIO:
		v = uint64(mapMMIO(phys(a0), uintptr(a1)))
	case callNewAlarm:
		v = newAlarm(a0)
	case callSetAlarm:
		v = setAlarm(a0, a1)
	case callFreeAlarm:
		v = freeAlarm(a0)
	case callPowerOff:
		powerOff()
	case callReboot:
		reboot()
	default:
		v = errno(syscall.ENOSYS)
	}
	return t.ret(v)
}
