package main

import (
	"sync"
	"unsafe"
)

// main keeps the functions in the image.
func main() {
	for _, f := range []func(){
		allocate, grow, makeSlice, join, storePointer, readMap, writeMap, convert, assert, deferCall, lock, send, start,
		copyBytes, clearBytes, compare, panicNow, callVariable, callMethod, deep, viaClosure, vex, evex, x87, xsave,
	} {
		f()
	}
	recurse(number)
	ping(number)
	chosen(number)
	checked(number)
	clean(number)
	pushed()
	unfollowable()
	switched()
}

var (
	sink     any
	number   int
	numbers  []int
	pointer  *int
	table    = map[int]int{}
	text     string
	octets   = make([]byte, 1000)
	mutex    sync.Mutex
	channel                          = make(chan int, 1)
	variable                         = allocate
	shape    interface{ area() int } = &square{2}
	block    [4096]byte
)

type square struct{ side int }

func (s *square) area() int { return s.side * s.side }

//go:noinline
func allocate() { pointer = new(int) }

//go:noinline
func grow() { numbers = append(numbers, number) }

//go:noinline
func makeSlice() { octets = make([]byte, number) }

//go:noinline
func join() { text = text + "tail" }

//go:noinline
func storePointer() { pointer = &number }

//go:noinline
func readMap() { number = table[number] }

//go:noinline
func writeMap() { table[number] = 1 }

//go:noinline
func convert() { sink = number }

//go:noinline
func assert() { shape = sink.(interface{ area() int }) }

//go:noinline
func deferCall() {
	defer readMap()
	number++
}

//go:noinline
func lock() { mutex.Lock() }

//go:noinline
func send() { channel <- 1 }

//go:noinline
func start() { go recurse(1) }

//go:noinline
func copyBytes() { copy(octets, octets[number:]) }

//go:noinline
func clearBytes() { clear(octets) }

//go:noinline
func compare() {
	if text == string(octets[:len(text)]) {
		number++
	}
}

//go:noinline
func panicNow() { panic("now") }

//go:noinline
func callVariable() { variable() }

//go:noinline
func callMethod() { number = shape.area() }

//go:noinline
func recurse(n int) {
	if n > 0 {
		recurse(n - 1)
		number++
	}
}

//go:noinline
func ping(n int) {
	if n > 0 {
		pong(n - 1)
		number++
	}
}

//go:noinline
func pong(n int) {
	ping(n)
	number++
}

//go:noinline
func deep() {
	var buf [6000]byte
	fill(unsafe.Pointer(&buf))
}

//go:noinline
func fill(p unsafe.Pointer) { *(*byte)(p) = byte(number) }

//go:noinline
func viaClosure() {
	twice(func() { allocate() })
}

//go:noinline
func twice(f func()) {
	f()
	f()
}

// checked indexes with a number that the compiler knows nothing of.
//
//go:noinline
func checked(i int) { block[i] = 1 }

// chosen is a switch that the compiler makes a jump table of.
//
//go:noinline
func chosen(n int) {
	switch n {
	case 0:
		grow()
	case 1:
		readMap()
	case 2:
		writeMap()
	case 3:
		convert()
	case 4:
		lock()
	case 5:
		send()
	case 6:
		start()
	case 7:
		copyBytes()
	case 8:
		deep()
	default:
		x87()
	}
}

// clean breaks nothing.
//
//go:noinline
func clean(n int) int {
	sum := 0
	for i := range n {
		sum += tidy(i)
	}
	return sum
}

//go:noinline
func tidy(i int) int { return i ^ number }

// In assembly.
func vex()
func evex()
func x87()
func xsave()
func pushed()
func unfollowable()
func switched()
