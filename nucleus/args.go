package nucleus

import "unsafe"

// Auxiliary vector tags (getauxval(3)).
const (
	atNull    = 0
	atPageSz  = 6
	atSecure  = 23
	atRandom  = 25
	atSysinfo = 33
)

// argWriter lays out a new program's stack from the top down.
type argWriter struct {
	sp    uintptr
	words [128]uint64
	n     int
}

func (w *argWriter) bytes(p unsafe.Pointer, n uintptr) uintptr {
	w.sp -= n
	copyBytes(w.sp, uintptr(p), n)
	return w.sp
}

// text puts a string with its final zero on the stack and its address among
// the words.
func (w *argWriter) text(p *byte, n int) {
	w.sp--
	store8(w.sp, 0)
	a := w.bytes(unsafe.Pointer(p), uintptr(n))
	w.word(uint64(a))
}

func (w *argWriter) word(v uint64) {
	if w.n < len(w.words) {
		w.words[w.n] = v
		w.n++
	}
}

const maxArgs = 60

// buildArgs writes argc, argv, envp and the auxiliary vector below top and
// returns the stack pointer. Arguments are the words of the command line.
// Words of the form GODEBUG=..., GOGC=..., GOMAXPROCS=..., GOTRACEBACK=... and
// GOMEMLIMIT=... go to the environment.
func buildArgs(top uintptr) uintptr {
	var w argWriter
	w.sp = top
	name := "ringo"
	w.word(0)
	w.text(unsafe.StringData(name), len(name))
	args := 1
	eachWord(func(p *byte, n int) {
		if args < maxArgs && !isEnv(p, n) {
			w.text(p, n)
			args++
		}
	})
	w.words[0] = uint64(args)
	w.word(0)
	env := 0
	eachWord(func(p *byte, n int) {
		if env < maxArgs/2 && isEnv(p, n) {
			w.text(p, n)
			env++
		}
	})
	w.word(0)
	var seed [2]uint64
	for seed[0] == 0 || seed[1] == 0 {
		randomBytes(uintptr(unsafe.Pointer(&seed)), 16)
	}
	w.sp &^= 15
	r := w.bytes(unsafe.Pointer(&seed), 16)
	for _, v := range [...]uint64{atPageSz, pageSize, atSecure, 0, atRandom, uint64(r), atSysinfo, uint64(vdsoAddr()), atNull, 0} {
		w.word(v)
	}
	sp := (w.sp - uintptr(w.n)*8) &^ 15
	for i := 0; i < w.n; i++ {
		store64(sp+uintptr(i)*8, w.words[i])
	}
	return sp
}

// eachWord calls f with the words of the command line.
func eachWord(f func(p *byte, n int)) {
	b := &bootInfo
	for i := 0; i < b.nCmdline; {
		for i < b.nCmdline && b.cmdline[i] == ' ' {
			i++
		}
		start := i
		for i < b.nCmdline && b.cmdline[i] != ' ' {
			i++
		}
		if i > start {
			f(&b.cmdline[start], i-start)
		}
	}
}

// isEnv says whether a word is a setting of the Go runtime.
func isEnv(p *byte, n int) bool {
	return n > 2 && *p == 'G' && *(*byte)(unsafe.Add(unsafe.Pointer(p), 1)) == 'O' && valueOf(p, n) > 2
}

// valueOf gives the index after the first '=', or 0.
func valueOf(p *byte, n int) int {
	for i := 0; i < n; i++ {
		if *(*byte)(unsafe.Add(unsafe.Pointer(p), i)) == '=' {
			return i + 1
		}
	}
	return 0
}

// options that the nucleus itself reads from the command line.
var options struct {
	rebootOnPanic bool
	maxCPUs       uint32
}

// readOptions looks for panic=reboot|halt and maxcpus=N.
func readOptions() {
	options.maxCPUs = MaxCPUs
	eachWord(func(p *byte, n int) {
		word := unsafe.String(p, n)
		v := valueOf(p, n)
		switch {
		case hasPrefix(word, "panic="):
			options.rebootOnPanic = hasPrefix(word[v:], "reboot")
		case hasPrefix(word, "maxcpus="):
			options.maxCPUs = max(1, min(MaxCPUs, parseDec(word[v:])))
		}
	})
}

func hasPrefix(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := 0; i < len(prefix); i++ {
		if s[i] != prefix[i] {
			return false
		}
	}
	return true
}

func parseDec(s string) uint32 {
	var n uint32
	for i := 0; i < len(s) && s[i] >= '0' && s[i] <= '9' && n < 1<<20; i++ {
		n = n*10 + uint32(s[i]-'0')
	}
	return n
}
