// Command ringo is the hypervisor's image.
package main

import (
	"fmt"
	"os"
	"time"

	"ringo/api/bundle"
	"ringo/drivers/uart"
	"ringo/hv"
	"ringo/nucleus"
	"ringo/nucleus/reg"
	"ringo/svm"
)

func main() {
	fmt.Println("ringo", os.Args, nucleus.CPUs(), nucleus.Memory(), nucleus.SinceEntry())
	port, err := uart.Open(0x3f8, 4)
	if err != nil {
		fmt.Println(err)
	}
	b, err := svm.New(svm.Options{PatchText: nucleus.PatchText})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := b.EnableCPU(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(b.Caps())
	bun, err := bundle.Parse(nucleus.Bundle())
	if err != nil {
		fmt.Println(err)
		select {}
	}
	host := &hv.Host{Backend: b, Frames: nucleus.Frames(), TSCHz: nucleus.TSCFrequency(), TSC: nucleus.TSC, CPUID: reg.CPUID,
		Log: func(f string, a ...any) { fmt.Printf(f+"\n", a...) }}
	d := bun.VMs[0]
	k, _ := bun.File(d.Kernel)
	ird, _ := bun.File(d.Initrd)
	done := make(chan int)
	vm, err := hv.New(host, hv.Config{Name: d.Name, Machine: d.Machine, Memory: d.Memory, VCPUs: uint32(d.VCPUs), Kernel: k, Initrd: ird, Cmdline: d.Cmdline,
		DebugExit: true,
		OnStop: func(vm *hv.VM, r hv.Reason) { fmt.Println("stopped", r); if r.Report != nil { fmt.Println(r.Report) }; close(done) }})
	if err != nil {
		fmt.Println(err)
		select {}
	}
	vm.Console().SetOutput(func(p []byte) { port.Write(p) })
	if err := vm.Start(); err != nil {
		fmt.Println(err)
		select {}
	}
	go func() {
		for {
			var buf [100]byte
			n, err := port.Read(buf[:])
			if err != nil {
				return
			}
			vm.Console().Input(buf[:n])
		}
	}()
	go func() {
		for i := 0; i < 6; i++ {
			time.Sleep(5 * time.Second)
			fmt.Printf("%+v\n", vm.Stats())
		}
	}()
	<-done
	fmt.Printf("%+v\n", vm.Stats())
	nucleus.PowerOff()
}
