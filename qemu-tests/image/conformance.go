package main

import (
	"fmt"
	"math/rand/v2"

	"ringo/hv/hvtest"
)

// printer is hvtest's T without package testing.
type printer struct{}

func (printer) Helper()                   {}
func (printer) Logf(f string, a ...any)   { fmt.Printf("  "+f+"\n", a...) }
func (printer) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// testConformance runs the suite that every backend passes.
func testConformance(_ *rand.Rand, _ int) error {
	h, err := host()
	if err != nil {
		return err
	}
	sum := hvtest.Run(printer{}, h.Backend, hvtest.Env{Frames: h.Frames, TSC: h.TSC, TSCHz: h.TSCHz})
	fmt.Println(" ", sum)
	if sum.Failed > 0 || sum.Passed == 0 {
		return fmt.Errorf("conformance on %s: %v", h.Backend.Name(), sum)
	}
	return nil
}
