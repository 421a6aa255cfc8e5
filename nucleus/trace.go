package nucleus

import "runtime"

// tracing is where the report of a stack has come to. Naming a function asks
// the runtime, which may fail here; the handler of that failure goes on with
// the next frame.
var tracing struct {
	active bool
	left   int
	bp     uintptr
}

// reportStack follows the chain of frame pointers and names the functions. It
// is the last thing that runs, and reads only memory that is mapped.
func reportStack(r *Registers) {
	earlyPrint("stack:\n")
	tracing.active, tracing.left, tracing.bp = true, 40, uintptr(r.RBP)
	reportPC(r.RIP)
	continueStack()
	finish()
}

func continueStack() {
	for tracing.left > 0 {
		tracing.left--
		bp := tracing.bp
		if bp&7 != 0 || !readable(bp) || !readable(bp+8) {
			return
		}
		pc := load64(bp + 8)
		if pc == 0 {
			return
		}
		tracing.bp = uintptr(load64(bp))
		if tracing.bp <= bp {
			tracing.left = 0
		}
		reportPC(pc)
	}
}

func readable(v uintptr) bool {
	if v < userLow || v >= userTop && v < directBase {
		return false
	}
	e := walk(v, 0, false)
	return e != nil && *e&pteP != 0
}

func reportPC(pc uint64) {
	earlyPrint("  ")
	earlyHex(pc)
	h := &bootInfo.hand
	if pc >= h.ImageVirt && pc < h.ImageVirt+h.ImageSize {
		if f := runtime.FuncForPC(uintptr(pc)); f != nil {
			earlyPrint(" ")
			earlyPrint(f.Name())
			earlyPrint("+")
			earlyDec(pc - uint64(f.Entry()))
		}
	}
	earlyPrint("\n")
}
