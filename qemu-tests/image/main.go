package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"ringo/nucleus"
)

// group is one test that runs at CPL0.
type group struct {
	name string
	run  func(r *rand.Rand, rounds int) error
}

var groups = []group{
	{"gc", testGC},
	{"preempt", testPreempt},
	{"syscalls", testSyscalls},
	{"futex", testFutex},
	{"timer", testTimer},
	{"clone", testClone},
	{"faults", testFaults},
	{"stack", testStack},
	{"memory", testMemory},
	{"canary", testCanary},
	{"random", testRandom},
	{"clock", testClock},
	{"latency", testLatency},
	{"pauses", testPauses},
	{"shares", testShares},
	{"weights", testWeights},
	{"idle", testIdle},
	{"conformance", testConformance},
	{"pokes", testPokes},
	{"broken", testBroken},
	{"hostile", testHostile},
	{"wander", testWander},
	{"save", testSave},
	{"continue", testContinue},
	{"panic", testPanic},
	{"fault", testFault},
}

// byName groups run only when they are named: they need virtualization and a
// quiet machine, or they end it.
var byName = map[string]bool{
	"latency": true, "pauses": true, "shares": true, "weights": true, "idle": true,
	"conformance": true, "pokes": true, "broken": true, "hostile": true, "wander": true, "save": true, "continue": true, "panic": true, "fault": true,
}

func main() {
	opt := options()
	rounds := number(opt["rounds"], 1)
	seed := uint64(number(opt["seed"], int(nucleus.TSC()&0xffffff)))
	fmt.Printf("test image: %d CPUs, TSC %d MHz, seed %d, rounds %d\n", nucleus.CPUs(), nucleus.TSCFrequency()/1_000_000, seed, rounds)
	failed := 0
	ran := 0
	for _, g := range groups {
		want := opt["test"]
		if all := want == "" || want == "all"; all && byName[g.name] || !all && !contains(want, g.name) {
			continue
		}
		ran++
		start := time.Now()
		err := g.run(rand.New(rand.NewPCG(seed, uint64(ran))), rounds)
		if err != nil {
			failed++
			fmt.Printf("FAIL %s: %v\n", g.name, err)
			continue
		}
		fmt.Printf("ok %s %.2fs\n", g.name, time.Since(start).Seconds())
	}
	verdict := "PASS"
	if failed > 0 || ran == 0 {
		verdict = "FAIL"
	}
	fmt.Printf("%d passed, %d failed\nverdict: %s\n", ran-failed, failed, verdict)
	nucleus.PowerOff()
}

func options() map[string]string {
	opt := map[string]string{}
	for _, w := range os.Args[1:] {
		k, v, _ := strings.Cut(w, "=")
		opt[k] = v
	}
	return opt
}

func number(s string, other int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return other
}

func contains(list, name string) bool {
	for _, n := range strings.Split(list, ",") {
		if n == name {
			return true
		}
	}
	return false
}
