package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"ringo/hv"
	"ringo/hv/cpuid"
	"ringo/hv/vcpu"
	"ringo/nucleus/reg"
)

// travelTime bounds each part of a journey, by the machine's own clock.
const travelTime = 5 * time.Minute

// testSave runs a guest to the point where it leaves, and saves it.
func testSave(_ *rand.Rand, _ int) error {
	h, err := host()
	if err != nil {
		return err
	}
	if offer, err := cpuid.Offer(reg.CPUID, h.Backend.Caps().PhysAddrBits); err == nil {
		fmt.Println("  this machine offers:", offer)
	}
	t, err := newTraveller(options(), true)
	if err != nil {
		return err
	}
	stop := fmt.Sprintf("%s %d", t.step, t.leave)
	out := newConsole(stop)
	vm, ended, err := t.vm(h, out)
	if err != nil {
		return err
	}
	defer vm.Close()
	if err := vm.Start(); err != nil {
		return err
	}
	select {
	case <-out.seen:
	case r := <-ended:
		return fmt.Errorf("the guest ended before it could leave: %v", r)
	case <-time.After(travelTime):
		return fmt.Errorf("the guest did not come to %q", stop)
	}
	if err := vm.Pause(context.Background()); err != nil {
		return err
	}
	return t.write(vm, out.String())
}

// vm makes the guest's VM. ended gets the reason if it stops by itself.
func (t *traveller) vm(h *hv.Host, out *console) (vm *hv.VM, ended chan hv.Reason, err error) {
	ended = make(chan hv.Reason, 1)
	c := t.config
	c.OnStop = func(_ *hv.VM, r hv.Reason) { ended <- r }
	if vm, err = hv.New(h, c); err != nil {
		return nil, nil, err
	}
	vm.Console().SetOutput(out.write)
	return vm, ended, nil
}

// write puts what a paused guest has printed so far on the disk, and its snapshot.
func (t *traveller) write(vm *hv.VM, text string) error {
	if err := t.complete(text, t.leave-1); err != nil { // the last line may not be through
		return fmt.Errorf("before it was saved: %w", err)
	}
	start, d := time.Now(), newDiskWriter()
	if err := binary.Write(d, binary.LittleEndian, uint32(len(text))); err != nil {
		return err
	}
	if _, err := io.WriteString(d, text); err != nil {
		return err
	}
	if err := vm.Save(d, hv.SaveOptions{Memory: true}); err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	fmt.Printf("  saved at %q, %d bytes in %.1fs\n", lastLine(text), d.bytes, time.Since(start).Seconds())
	return nil
}

// testContinue takes a guest from the disk, lets it run to its end, and looks
// at all that it has printed on both machines.
func testContinue(_ *rand.Rand, _ int) error {
	h, err := host()
	if err != nil {
		return err
	}
	t, err := newTraveller(options(), false)
	if err != nil {
		return err
	}
	d, err := newDiskReader()
	if err != nil {
		return err
	}
	before, err := readText(d)
	if err != nil {
		return fmt.Errorf("the disk holds no saved guest: %w", err)
	}
	out := newConsole("")
	vm, ended, err := t.vm(h, out)
	if err != nil {
		return err
	}
	defer vm.Close()
	start := time.Now()
	if err := vm.Restore(d); err != nil {
		return err
	}
	fmt.Printf("  goes on after %q on %s, restored in %.1fs\n", lastLine(before), h.Backend.Name(), time.Since(start).Seconds())
	if err := vm.Resume(); err != nil {
		return err
	}
	select {
	case r := <-ended:
		fmt.Printf("  the guest ended: %v\n", r)
	case <-time.After(travelTime):
		return fmt.Errorf("the guest does not end")
	}
	s := vm.Stats()
	done := s.Exits[vcpu.KindException] - s.Fast[vcpu.KindException]
	fmt.Printf("  %d instructions of the other vendor's processor\n", done)
	if done < t.foreign {
		return fmt.Errorf("the guest did not use the other vendor's instructions")
	}
	if !strings.Contains(out.String(), t.done) {
		return fmt.Errorf("the guest did not print %q", t.done)
	}
	return t.complete(before+out.String(), t.last)
}

// readText reads what a guest printed before it was saved.
func readText(r io.Reader) (string, error) {
	const most = 1 << 20
	var n uint32
	if err := binary.Read(r, binary.LittleEndian, &n); err != nil || n > most {
		return "", fmt.Errorf("%d bytes of text: %w", n, err)
	}
	text := make([]byte, n)
	_, err := io.ReadFull(r, text)
	return string(text), err
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
