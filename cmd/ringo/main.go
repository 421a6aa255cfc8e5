package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"ringo/api/bundle"
	"ringo/api/console"
	"ringo/api/node"
	"ringo/devices/clock"
	"ringo/drivers/alarm"
	"ringo/drivers/uart"
	"ringo/hv"
	"ringo/hv/vcpu"
	"ringo/nucleus"
	"ringo/nucleus/reg"
)

// The host's console: COM1.
const (
	consolePort = 0x3f8
	consoleIRQ  = 4
)

func main() {
	opt, problems := parseOptions(os.Args[1:])
	backend, why := openBackend(opt)
	n, err := newNode(backend)
	if err != nil {
		fmt.Println("ringo:", err)
		os.Exit(1)
	}
	for _, p := range problems {
		n.Log().Errorf("%v", p)
	}
	if why != nil {
		n.Log().Errorf("VMs cannot run on this machine: %v", why)
	}
	settings, loaded := load(n)
	port, err := uart.Open(consolePort, consoleIRQ)
	if err != nil {
		fmt.Println("ringo: no console:", err)
		os.Exit(1)
	}
	if opt.metrics {
		startMetrics(n)
	}
	if loaded {
		go n.Autostart()
	}
	k := console.New(console.Config{
		In: port, Out: port, Node: n, Banner: banner(backend, why),
		Attach: opt.attach, Escape: settings.Console.Escape,
	})
	fmt.Println("ringo: the console ended:", k.Run(context.Background()))
	os.Exit(1)
}

// newNode makes the node over this machine. Device models get timers that are
// exact to the interrupt.
func newNode(b vcpu.Backend) (*node.Node, error) {
	timers, err := alarm.New()
	if err != nil {
		return nil, err
	}
	after := func(d time.Duration, f func()) clock.Alarm { return timers.AfterFunc(d, f) }
	return node.New(node.Host{
		HV: hv.Host{
			Backend: b, Frames: nucleus.Frames(), CPUID: reg.CPUID,
			TSC: nucleus.TSC, TSCHz: nucleus.TSCFrequency(),
			NewClock: func(onPanic func(any)) hv.Clock { return clock.NewRealOver(after, onPanic) },
		},
		Memory:   memoryForVMs(),
		PowerOff: nucleus.PowerOff,
	})
}

// memoryForVMs is what is free now less what Ringo itself may still need: its
// heap, and tables and records for the VMs.
func memoryForVMs() uint64 {
	const heap = 48 << 20
	free := nucleus.Memory().Free
	own := uint64(heap) + free/64
	if free < own {
		return 0
	}
	return free - own
}

// load takes over the bundle that came with the image. Without one, or with a
// broken one, the node stays up at its console.
func load(n *node.Node) (bundle.Node, bool) {
	data := nucleus.Bundle()
	if len(data) == 0 {
		n.Log().Warnf("no bundle: the boot loader passed no initrd, so there are no VMs. Make one with ringoctl bundle make and pass it beside the image")
		return bundle.Node{}, false
	}
	b, err := bundle.Parse(data)
	if err != nil {
		n.Log().Errorf("the bundle is refused, so there are no VMs:\n%v", err)
		return bundle.Node{}, false
	}
	if err := n.Load(b); err != nil {
		n.Log().Errorf("%v", err)
	}
	nucleus.RebootOnPanic(b.Node.OnPanic == bundle.PanicReboot)
	if p := b.Node.GOMAXPROCS; p > 0 {
		runtime.GOMAXPROCS(p)
	}
	return b.Node, true
}
