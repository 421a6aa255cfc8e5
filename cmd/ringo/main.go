// Command ringo is the hypervisor's image.
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"ringo/nucleus"
)

func main() {
	fmt.Println("hello from CPL0", os.Args, runtime.NumCPU(), nucleus.CPUs(), nucleus.Memory(), time.Now())
	c := make(chan int)
	for i := 0; i < 100; i++ {
		go func() { time.Sleep(time.Millisecond * 10); c <- i }()
	}
	s := 0
	for i := 0; i < 100; i++ {
		s += <-c
	}
	fmt.Println("sum", s)
	var keep [][]byte
	for i := 0; i < 2000; i++ {
		keep = append(keep, make([]byte, 100000))
		if len(keep) > 20 {
			keep = keep[1:]
		}
	}
	runtime.GC()
	fmt.Println("gc ok", nucleus.Memory())
	nucleus.PowerOff()
}
