package nucleus

import (
	"math/bits"
	"syscall"
	"unsafe"

	"gvisor.dev/gvisor/pkg/abi/linux"

	"ringo/nucleus/reg"
)

// Signals, as far as the Go runtime uses them: SIGURG to preempt a goroutine,
// and the faults of a thread. A frame has the layout of Linux's rt_sigframe
// on x86-64 (sigreturn(2)): the restorer's address, struct ucontext, siginfo,
// then the vector state.

const (
	numSignals = 64

	frameUcontext = 8
	frameSiginfo  = 320
	frameVectors  = 448

	// Offsets in struct ucontext.
	ucStackSP    = 16
	ucStackFlags = 24
	ucStackSize  = 32
	ucRegs       = 40 // r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags
	ucSegments   = 184
	ucError      = 192
	ucTrap       = 200
	ucCR2        = 216
	ucVectors    = 224
	ucSigmask    = 296

	flagsUser = 0x40dd5 // CF PF AF ZF SF TF DF OF AC: what sigreturn may change
)

type sigAction struct {
	handler, flags, restorer, mask uint64
}

var sigActions [numSignals + 1]sigAction

// sigInfo is what a handler is told of one signal.
type sigInfo struct {
	sig, code uint32
	addr      uint64
	trap, err uint64
}

// regOrder gives a thread's registers in the order of struct sigcontext.
func regOrder(r *Registers) [18]*uint64 {
	return [18]*uint64{
		&r.R8, &r.R9, &r.R10, &r.R11, &r.R12, &r.R13, &r.R14, &r.R15,
		&r.RDI, &r.RSI, &r.RBP, &r.RBX, &r.RDX, &r.RAX, &r.RCX, &r.RSP,
		&r.RIP, &r.RFLAGS,
	}
}

// deliver gives t its most urgent unblocked signal, if any, and returns t. A
// signal without a handler is dropped if that is its default, else it ends
// the program.
func deliver(t *Thread) *Thread {
	for {
		due := t.sigPending.Load() &^ t.sigMask
		if due == 0 {
			return t
		}
		sig := uint32(bits.TrailingZeros64(due)) + 1
		t.sigPending.And(^(uint64(1) << (sig - 1)))
		if t.push(&sigInfo{sig: sig, code: 0xfffffffa}) { // SI_TKILL
			return t
		}
	}
}

// push makes t run the handler of a signal. It reports false if the signal is
// ignored.
func (t *Thread) push(info *sigInfo) bool {
	act := &sigActions[info.sig]
	switch {
	case act.handler == 1, act.handler == 0 && defaultIgnored(info.sig):
		return false
	case act.handler == 0:
		fatalThread(t, info)
	}
	r := &t.Regs
	sp := uintptr(r.RSP) - 128
	onStack := sp-t.sigStack < t.sigSize
	if act.flags&linux.SA_ONSTACK != 0 && t.sigSize != 0 && !onStack {
		sp = t.sigStack + t.sigSize
	}
	vectors := uintptr(0)
	if t.frame == frameTrap {
		sp = (sp - uintptr(xsaveSize)) &^ 63
		vectors = sp
		copyBytes(vectors, t.xsave, uintptr(xsaveSize))
	}
	sp = (sp-frameVectors)&^15 - 8
	t.writeFrame(sp, vectors, info, act)
	t.sigMask |= act.mask
	if act.flags&linux.SA_NODEFER == 0 {
		t.sigMask |= 1 << (info.sig - 1)
	}
	r.RSP, r.RIP = uint64(sp), act.handler
	r.RDI, r.RSI, r.RDX = uint64(info.sig), uint64(sp+frameSiginfo), uint64(sp+frameUcontext)
	r.RAX = 0
	t.frame = frameSyscall
	return true
}

func defaultIgnored(sig uint32) bool {
	return sig == uint32(linux.SIGURG) || sig == uint32(linux.SIGCHLD) ||
		sig == uint32(linux.SIGWINCH) || sig == uint32(linux.SIGCONT)
}

func (t *Thread) writeFrame(sp, vectors uintptr, info *sigInfo, act *sigAction) {
	clearBytes(sp, frameVectors)
	store64(sp, act.restorer)
	uc := sp + frameUcontext
	store64(uc+ucStackSP, uint64(t.sigStack))
	store64(uc+ucStackFlags, uint64(t.sigFlags))
	store64(uc+ucStackSize, uint64(t.sigSize))
	for i, p := range regOrder(&t.Regs) {
		store64(uc+ucRegs+uintptr(i)*8, *p)
	}
	store64(uc+ucSegments, 0x33)
	store64(uc+ucError, info.err)
	store64(uc+ucTrap, info.trap)
	store64(uc+ucCR2, info.addr)
	store64(uc+ucVectors, uint64(vectors))
	store64(uc+ucSigmask, t.sigMask)
	si := sp + frameSiginfo
	store32(si, info.sig)
	store32(si+8, info.code)
	store64(si+16, info.addr)
	if info.trap == 0 {
		store64(si+16, 1) // si_pid: the program itself
	}
}

// sysSigreturn takes the state back from the frame below which the restorer
// called.
func sysSigreturn(t *Thread) *Thread {
	uc := uintptr(t.Regs.RSP)
	flags := t.Regs.RFLAGS
	for i, p := range regOrder(&t.Regs) {
		*p = load64(uc + ucRegs + uintptr(i)*8)
	}
	t.Regs.RFLAGS = flags&^flagsUser | t.Regs.RFLAGS&flagsUser | 0x202
	t.sigMask = load64(uc + ucSigmask)
	if v := uintptr(load64(uc + ucVectors)); v != 0 {
		copyBytes(t.xsave, v, uintptr(xsaveSize))
		sanitizeXSAVE(t.xsave)
	} else {
		copyBytes(t.xsave, uintptr(unsafe.Pointer(&initXSAVE)), uintptr(len(initXSAVE)))
	}
	t.frame = frameTrap
	return t
}

// sanitizeXSAVE keeps a header from user memory from faulting in XRSTOR.
func sanitizeXSAVE(p uintptr) {
	if !haveXSAVE {
		return
	}
	store64(p+512, load64(p+512)&hostXCR0)
	store64(p+520, 0)
	clearBytes(p+528, 48)
	store32(p+24, load32(p+24)&mxcsrMask)
}

func sysSigaction(sig uint64, act, old uintptr) uint64 {
	if sig == 0 || sig > numSignals {
		return errno(syscall.EINVAL)
	}
	a := &sigActions[sig]
	if old != 0 {
		store64(old, a.handler)
		store64(old+8, a.flags)
		store64(old+16, a.restorer)
		store64(old+24, a.mask)
	}
	if act != 0 {
		*a = sigAction{load64(act), load64(act + 8), load64(act + 16), load64(act + 24)}
	}
	return 0
}

func sysSigprocmask(t *Thread, how uint64, set, old uintptr) uint64 {
	was := t.sigMask
	if set != 0 {
		m := load64(set)
		switch how {
		case linux.SIG_BLOCK:
			t.sigMask |= m
		case linux.SIG_UNBLOCK:
			t.sigMask &^= m
		case linux.SIG_SETMASK:
			t.sigMask = m
		default:
			return errno(syscall.EINVAL)
		}
	}
	if old != 0 {
		store64(old, was)
	}
	return 0
}

func sysSigaltstack(t *Thread, ss, old uintptr) uint64 {
	if old != 0 {
		store64(old, uint64(t.sigStack))
		store64(old+8, uint64(t.sigFlags))
		store64(old+16, uint64(t.sigSize))
	}
	if ss != 0 {
		t.sigStack, t.sigFlags, t.sigSize = uintptr(load64(ss)), load32(ss+8), uintptr(load64(ss+16))
		if t.sigFlags&linux.SS_DISABLE != 0 {
			t.sigStack, t.sigSize = 0, 0
		}
	}
	return 0
}

// sysTgkill marks a signal for a thread; one that runs elsewhere is
// interrupted. A blocked thread gets it when its wait ends.
func sysTgkill(tid, sig uint64) uint64 {
	if tid == 0 || tid > uint64(threadTop) || sig > numSignals {
		return errno(syscall.ESRCH)
	}
	t := threadAt(uint32(tid))
	if t.state.Load() == threadFree {
		return errno(syscall.ESRCH)
	}
	if sig == 0 {
		return 0
	}
	t.sigPending.Or(1 << (sig - 1))
	c, self := &cpus[t.cpu], thisCPU()
	if t.state.Load() == threadRunning && c != self {
		sendIPI(c, vectorResched)
	}
	return 0
}

// threadTrap turns a thread's exception into a signal.
func threadTrap(t *Thread, vector, code uint64) *Thread {
	info := sigInfo{trap: vector, err: code}
	switch vector {
	case 0:
		info.sig, info.code, info.addr = uint32(linux.SIGFPE), 1, t.Regs.RIP
	case 1, 3:
		info.sig, info.code, info.addr = uint32(linux.SIGTRAP), 1, t.Regs.RIP
	case 6:
		info.sig, info.code, info.addr = uint32(linux.SIGILL), 2, t.Regs.RIP
	case 14:
		info.sig, info.code, info.addr = uint32(linux.SIGSEGV), 1, reg.ReadCR2()
	case 16, 19:
		info.sig, info.code, info.addr = uint32(linux.SIGFPE), 0, t.Regs.RIP
	default:
		info.sig, info.code = uint32(linux.SIGSEGV), 0x80 // SI_KERNEL
	}
	if t.sigMask>>(info.sig-1)&1 != 0 || !t.push(&info) {
		fatalThread(t, &info)
	}
	return thisCPU().leave(t)
}
