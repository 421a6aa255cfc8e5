package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"ringo/hv"
	"ringo/hv/vcpu"
	"ringo/nucleus"
	"ringo/nucleus/reg"
	"ringo/qemu-tests/tiny"
	"ringo/svm"
	"ringo/vmx"
	. "ringo/x86/asm"
)

var theHost *hv.Host

// host makes this machine able to run guests, once.
func host() (*hv.Host, error) {
	if theHost != nil {
		return theHost, nil
	}
	b, err := backend()
	if err != nil {
		return nil, err
	}
	if err := b.EnableCPU(); err != nil {
		return nil, err
	}
	theHost = &hv.Host{
		Backend: b, Frames: nucleus.Frames(), CPUID: reg.CPUID,
		TSC: nucleus.TSC, TSCHz: nucleus.TSCFrequency(),
		Log: func(format string, a ...any) { fmt.Printf("  "+format+"\n", a...) },
	}
	return theHost, nil
}

// backend chooses the backend for this processor.
func backend() (vcpu.Backend, error) {
	if vmx.Present() {
		var without []string
		if list, ok := options()["without"]; ok {
			names, err := vmx.ParseWithout(list)
			if err != nil {
				return nil, fmt.Errorf("without: %w", err)
			}
			without = names
		}
		return vmx.New(vmx.Options{PatchText: nucleus.PatchText, Without: without})
	}
	return svm.New(svm.Options{PatchText: nucleus.PatchText})
}

// share is a VM's part of the CPUs.
type share struct{ weight, cap uint32 }

var equal = share{weight: 100}

// startVMs starts n VMs that run kernel, and gives a function that ends them.
func startVMs(n int, vcpus uint32, share share, kernel []byte) ([]*hv.VM, func(), error) {
	h, err := host()
	if err != nil {
		return nil, func() {}, err
	}
	var vms []*hv.VM
	end := func() {
		for _, vm := range vms {
			vm.Stop()
			vm.Close()
		}
	}
	for i := 0; i < n; i++ {
		vm, err := hv.New(h, hv.Config{
			Name: fmt.Sprint("t", i), Machine: hv.MachineRingo1, Memory: 2 << 20, VCPUs: vcpus,
			Weight: share.weight, CapPercent: share.cap, Kernel: kernel, DebugExit: true,
		})
		if err == nil {
			vms = append(vms, vm)
			err = vm.Start()
		}
		if err != nil {
			end()
			return nil, func() {}, fmt.Errorf("VM %d of %d: %w", i+1, n, err)
		}
	}
	return vms, end, nil
}

// idleGuest halts with interrupts off, for good.
func idleGuest() []byte {
	return tiny.PVH(func(a *Asm) {
		a.Label("again")
		a.Cli()
		a.Hlt()
		a.Jmp("again")
	})
}

// testLatency occupies every CPU with guests that never exit by themselves and
// measures how late goroutines wake from the timer interrupt.
func testLatency(_ *rand.Rand, rounds int) error {
	_, end, err := startVMs(nucleus.CPUs(), 1, equal, tiny.Spin())
	if err != nil {
		return err
	}
	defer end()
	alarm, err := nucleus.NewAlarm()
	if err != nil {
		return err
	}
	defer alarm.Close()
	perSecond := nucleus.TSCFrequency()
	var late []time.Duration
	for i := 0; i < 500*rounds; i++ {
		due := nucleus.TSC() + perSecond*uint64(200+i%900)/1_000_000
		alarm.Set(due)
		if err := alarm.Wait(); err != nil {
			return err
		}
		late = append(late, time.Duration((nucleus.TSC()-due)*1_000_000_000/perSecond))
	}
	return report("wake-up beside spinning guests", late, 100*time.Microsecond, time.Millisecond)
}

// report prints the distribution and compares it with the limits, which hold
// on a machine with a deterministic clock.
func report(what string, d []time.Duration, p99, worst time.Duration) error {
	slices.Sort(d)
	at99, last := d[len(d)*99/100], d[len(d)-1]
	fmt.Printf("  %s: median %v, p99 %v, worst %v\n", what, d[len(d)/2], at99, last)
	if at99 > p99 || last > worst {
		return fmt.Errorf("%s: p99 %v (limit %v), worst %v (limit %v)", what, at99, p99, last, worst)
	}
	return nil
}

// testPauses stops the world beside 64 vCPU threads that spin in guests.
func testPauses(_ *rand.Rand, rounds int) error {
	_, end, err := startVMs(64, 1, equal, tiny.Spin())
	if err != nil {
		return err
	}
	defer end()
	var took []time.Duration
	var m runtime.MemStats
	for i := 0; i < 100*rounds; i++ {
		start := time.Now()
		runtime.ReadMemStats(&m)
		took = append(took, time.Since(start))
		time.Sleep(500 * time.Microsecond)
	}
	return report("stop-the-world beside 64 spinning vCPUs", took, 500*time.Microsecond, time.Millisecond)
}

// testShares lets VMs compete for each CPU and compares what they got in a
// second with their weights.
func testShares(_ *rand.Rand, rounds int) error {
	light, endLight, err := startVMs(2*nucleus.CPUs()+1, 1, equal, tiny.Spin())
	if err != nil {
		return err
	}
	defer endLight()
	var first error
	for i := 0; i < rounds; i++ {
		first = errors.Join(first, compareShares(light))
	}
	return first
}

// testWeights lets a VM of weight 300 and one that is capped at 10 % of a CPU
// compete with one of weight 100, for each CPU.
func testWeights(_ *rand.Rand, _ int) error {
	var vms []*hv.VM
	for _, s := range []share{{weight: 100}, {weight: 300}, {weight: 1000, cap: 10}} {
		more, end, err := startVMs(nucleus.CPUs(), 1, s, tiny.Spin())
		if err != nil {
			return err
		}
		defer end()
		vms = append(vms, more...)
	}
	n := nucleus.CPUs()
	before := ticksOf(vms)
	start := nucleus.TSC()
	time.Sleep(2 * time.Second)
	elapsed := float64(nucleus.TSC()-start) * float64(n)
	after := ticksOf(vms)
	var part [3]float64
	for i := range after {
		part[i/n] += float64(after[i]-before[i]) / elapsed
	}
	fmt.Printf("  weight 100: %.3f, weight 300: %.3f, capped at 10 %%: %.3f\n", part[0], part[1], part[2])
	if r := part[1] / part[0]; r < 2.7 || r > 3.3 || part[2] < 0.085 || part[2] > 0.12 {
		return fmt.Errorf("shares %.3f want 1:3 for the weights and 0.1 for the cap", part)
	}
	return nil
}

func compareShares(vms []*hv.VM) error {
	before := ticksOf(vms)
	time.Sleep(time.Second)
	after := ticksOf(vms)
	sum := uint64(0)
	for i := range after {
		after[i] -= before[i]
		sum += after[i]
	}
	mean := float64(sum) / float64(len(vms))
	low, high := float64(slices.Min(after))/mean, float64(slices.Max(after))/mean
	fmt.Printf("  shares of %d spinning VMs: %.3f to %.3f of the mean\n", len(vms), low, high)
	if low < 0.95 || high > 1.05 {
		return fmt.Errorf("shares of equal VMs: %.3f to %.3f of the mean, want within 5 %%", low, high)
	}
	return nil
}

func ticksOf(vms []*hv.VM) []uint64 {
	t := make([]uint64, len(vms))
	for i, vm := range vms {
		t[i] = vm.Stats().GuestTicks
	}
	return t
}

// testIdle starts 200 VMs with two idle vCPUs each and wants the CPUs idle.
func testIdle(_ *rand.Rand, rounds int) error {
	_, end, err := startVMs(200, 2, equal, idleGuest())
	if err != nil {
		return err
	}
	defer end()
	time.Sleep(time.Second)
	runtime.GC()
	time.Sleep(time.Second)
	idle, start := idleTicks(), nucleus.TSC()
	time.Sleep(time.Duration(2*rounds) * time.Second)
	busy := 1 - float64(idleTicks()-idle)/float64(nucleus.TSC()-start)/float64(nucleus.CPUs())
	m := nucleus.Memory()
	fmt.Printf("  200 VMs, 400 idle vCPUs: %.2f %% busy; heap %d MiB, %d MiB of %d MiB free\n",
		100*busy, m.Heap>>20, m.Free>>20, m.Total>>20)
	if busy > 0.02 {
		return fmt.Errorf("400 idle vCPUs keep the CPUs %.2f %% busy, want below 2 %%", 100*busy)
	}
	return nil
}

func idleTicks() uint64 {
	sum := uint64(0)
	for i := 0; i < nucleus.CPUs(); i++ {
		sum += nucleus.StatsOf(i).Idle
	}
	return sum
}
