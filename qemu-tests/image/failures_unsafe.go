package main

import (
	"fmt"
	"math/rand/v2"
	"time"
	"unsafe"

	"ringo/nucleus"
)

// testPanic ends the program by a Go panic in a goroutine. What it prints, and
// that the machine then stops as the command line says, is for the stanza to
// check.
func testPanic(_ *rand.Rand, _ int) error {
	go func() { panic("planted in a goroutine") }()
	time.Sleep(10 * time.Second)
	return fmt.Errorf("the machine goes on after a panic")
}

// testFault makes the nucleus itself fault, through a call with a pointer to
// nothing.
func testFault(_ *rand.Rand, _ int) error {
	nowhere := uintptr(0x123000)
	(*(**nucleus.Guest)(unsafe.Pointer(&nowhere))).Kick()
	return fmt.Errorf("the nucleus goes on after a page fault of its own")
}
