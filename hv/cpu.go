package hv

import (
	"encoding/binary"
	"fmt"

	"ringo/devices"
	"ringo/devices/lapic"
	"ringo/hv/msr"
	"ringo/hv/vcpu"
	"ringo/memory"
	"ringo/x86"
)

// cpu is one virtual processor of a board: the backend's VCPU and what Go
// keeps for it. It belongs to the goroutine that runs it, or to the owner of
// the VM while no such goroutine exists.
type cpu struct {
	// What an access to a port touches comes first.
	v    vcpu.VCPU
	area *vcpu.Area
	pio  devices.Cursor
	word [8]byte // data of a bus access
	exit vcpu.Exit

	board *board
	id    uint32
	space *memory.Space
	mmio  devices.Cursor
	lapic *lapic.LAPIC
	msrs  *msr.File
	pager vcpu.Pager
	code  codeCache // instructions that access devices
	emul  *emulator // finishes all other instructions

	paging vcpu.Paging // scratch for the pager
	state  x86.State   // scratch for Load and Store
}

// newCPU makes vCPU number id of a board.
func newCPU(b *board, id uint32) (*cpu, error) {
	v, err := b.backVM.NewVCPU(id)
	if err != nil {
		return nil, fmt.Errorf("vCPU %d: %w", id, err)
	}
	c := &cpu{
		v: v, area: v.Area(), pio: b.pio.Cursor(), board: b, id: id, space: b.space, mmio: b.mmio.Cursor(),
		msrs: msr.NewFile(b.policy.PhysAddrBits()),
	}
	c.lapic = lapic.New(b.backVM.Area(), c.area, lapic.Host{TSC: b.vm.host.TSC, Wake: b.waker, EOI: b.ioapicEOI})
	c.emul = newEmulator(c, c.lapic)
	c.code.space, c.code.paging = c.space, c.emul.insn.Paging
	c.setPager()
	if s, ok := v.(vcpu.Sharer); ok {
		s.SetShare(b.vm.cfg.Weight, b.vm.cfg.CapPercent)
	}
	return c, nil
}

// reset gives the vCPU its state after RESET. vCPU 0 then takes the state
// that the loader prepares; the others wait for a start-up IPI.
func (c *cpu) reset() error {
	c.exit = vcpu.Exit{}
	c.msrs.Reset()
	c.area.TSCAdjust = 0
	c.state.Reset()
	if c.id != 0 {
		c.state.Activity = x86.ActivityWaitSIPI
	}
	return c.v.Load(x86.GroupAll, &c.state)
}

// fillCPUID puts the policy's answers where the fast path finds them.
func (c *cpu) fillCPUID() error {
	t, err := c.board.policy.Table(c.id)
	if err != nil {
		return err
	}
	c.area.NumCPUID = uint32(copy(c.area.CPUID[:], t))
	return nil
}

// port serves a plain IN or OUT. It is the shortest way through Go that an
// exit can take, so it allocates nothing and asks nothing twice.
func (c *cpu) port(e *vcpu.Exit) {
	p := c.word[:e.Size&7]
	if e.Write {
		binary.LittleEndian.PutUint64(c.word[:], e.Data)
		c.pio.Write(uint64(e.Port), p)
		return
	}
	c.word = [8]byte{}
	c.pio.Read(uint64(e.Port), p)
	e.Data = binary.LittleEndian.Uint64(c.word[:])
}

// load and store move register groups through the scratch state. A backend
// that refuses them cannot go on with this guest.
func (c *cpu) load(g x86.Groups) {
	if err := c.v.Load(g, &c.state); err != nil {
		panic(fmt.Sprintf("vCPU %d: load of register groups %#x: %v", c.id, g, err))
	}
}

func (c *cpu) store(g x86.Groups) *x86.State {
	if err := c.v.Store(g, &c.state); err != nil {
		panic(fmt.Sprintf("vCPU %d: store of register groups %#x: %v", c.id, g, err))
	}
	return &c.state
}

// raise makes the guest take an exception instead of finishing the
// instruction of this exit.
func (c *cpu) raise(e *vcpu.Exit, ev vcpu.Event) bool {
	e.Emulated = true
	if err := c.v.Inject(ev); err != nil {
		return c.crash(CauseHost, fmt.Sprintf("cannot inject %s: %v", x86.VectorName(ev.Vector), err))
	}
	return true
}

func (c *cpu) raiseGP(e *vcpu.Exit) bool {
	return c.raise(e, vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorGP, HasError: true})
}

func (c *cpu) raiseUD(e *vcpu.Exit) bool {
	return c.raise(e, vcpu.Event{Type: vcpu.EventException, Vector: x86.VectorUD})
}
