package nucleus

// reportStack follows the chain of frame pointers and names the functions. It
// is the last thing that runs, and reads only memory that is mapped.
func reportStack(r *Registers) {
	earlyPrint("stack:\n")
	reportPC(r.RIP)
	bp := uintptr(r.RBP)
	for i := 0; i < 40; i++ {
		if bp&7 != 0 || !readable(bp) || !readable(bp+8) {
			return
		}
		pc, next := load64(bp+8), uintptr(load64(bp))
		if pc == 0 {
			return
		}
		reportPC(pc)
		bp = next // on another stack perhaps: the length limits the walk
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
		if name, start := functionAt(uintptr(pc)); name != "" {
			earlyPrint(" ")
			earlyPrint(name)
			earlyPrint("+")
			earlyDec(pc - uint64(start))
		}
	}
	earlyPrint("\n")
}
