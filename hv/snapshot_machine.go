package hv

import (
	"fmt"
	"time"

	"ringo/hv/cpuid"
	"ringo/hv/vcpu"
	"ringo/snapshot"
	"ringo/x86"
)

// machineState is what belongs to no vCPU or device.
type machineState board

// Schema implements snapshot.Snapshotter.
func (m *machineState) Schema() snapshot.Schema { return schemaVM }

// Save implements snapshot.Snapshotter.
func (m *machineState) Save(e *snapshot.Encoder) error {
	e.String("machine", m.vm.cfg.Machine)
	e.Uint64("memory", m.vm.cfg.Memory)
	e.Uint32("vcpus", m.vm.cfg.VCPUs)
	e.Bool("debug-exit", m.vm.cfg.DebugExit)
	e.Uint64("tsc-hz", m.tscHz)
	e.Int64("clock-ns", int64(m.clock.Now()))
	e.String("tsc-bound", (*board)(m).tscBound())
	table, err := m.policy.Table(0)
	if err != nil {
		return err
	}
	saveCPUID(e, table)
	return e.Err()
}

// machineHeader is the decoded state; version 1 ends after the clock.
type machineHeader struct {
	machine  string
	memory   uint64
	vcpus    uint32
	debug    bool
	hz       uint64
	now      int64
	tscBound string            // why the guest needs the same TSC frequency, "" if it does not
	cpuid    []vcpu.CPUIDEntry // of vCPU 0; nil in version 1
}

func readMachineHeader(from snapshot.Schema, d *snapshot.Decoder) (*machineHeader, error) {
	const longName, longReason = 64, 256
	h := &machineHeader{
		machine: d.String("machine", longName), memory: d.Uint64("memory"), vcpus: d.Uint32("vcpus"),
		debug: d.Bool("debug-exit"), hz: d.Uint64("tsc-hz"), now: d.Int64("clock-ns"),
	}
	if from == schemaVM1 {
		h.tscBound = "the snapshot is of a build that did not look at what the guest's clocks are made of"
		return h, d.Done()
	}
	h.tscBound = d.String("tsc-bound", longReason)
	h.cpuid = restoreCPUID(d)
	return h, d.Done()
}

// Restore implements snapshot.Snapshotter.
func (m *machineState) Restore(from snapshot.Schema, d *snapshot.Decoder) error {
	if from != schemaVM1 {
		if err := from.Require(schemaVM); err != nil {
			return err
		}
	}
	h, err := readMachineHeader(from, d)
	if err != nil {
		return err
	}
	cfg := &m.vm.cfg
	if h.machine != cfg.Machine || h.memory != cfg.Memory || h.vcpus != cfg.VCPUs || h.debug != cfg.DebugExit {
		return fmt.Errorf("%w: the snapshot is of a %s with %d MiB and %d vCPUs (debug-exit %v), this VM is a %s with %d MiB and %d vCPUs (debug-exit %v)",
			ErrConfig, h.machine, h.memory>>20, h.vcpus, h.debug, cfg.Machine, cfg.Memory>>20, cfg.VCPUs, cfg.DebugExit)
	}
	if err := m.accept(h); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if h.now < 0 {
		return fmt.Errorf("%w: clock-ns is negative", snapshot.ErrField)
	}
	m.clock.Set(time.Duration(h.now))
	return nil
}

// accept refuses a guest that would meet another processor or another TSC than
// it knows.
func (m *machineState) accept(h *machineHeader) error {
	follows, err := (*board)(m).followTSC(h.hz)
	if err != nil {
		return err
	}
	if here := m.vm.host.TSCHz; !follows && h.tscBound != "" {
		return fmt.Errorf("the snapshot's TSC runs at %d Hz and this host's at %d Hz, there is no TSC scaling, and %s", h.hz, here, h.tscBound)
	}
	if h.cpuid != nil {
		table, err := m.policy.Table(0)
		if err != nil {
			return err
		}
		if err := cpuid.Compare(h.cpuid, table); err != nil {
			return err
		}
	}
	return nil
}

// tscBound says what ties the guest to the frequency of its TSC, or "" if all
// its clocks go on at their rate under another one: each vCPU reads the time
// from the paravirtual clock, whose line is drawn anew, and its timers count
// nanoseconds.
func (b *board) tscBound() string {
	if b.policy.Has("invtsc") {
		return "the guest's CPUID shows an invariant TSC"
	}
	for _, c := range b.cpus {
		if x86.Activity(c.area.Activity) == x86.ActivityWaitSIPI {
			continue
		}
		if v, _ := b.parts.clock.ReadMSR(c.id, x86.MSRKVMSystemTimeNew); v&1 == 0 {
			return fmt.Sprintf("the guest does not use the paravirtual clock on vCPU %d", c.id)
		}
		if *c.area.APIC.Reg(vcpu.APICLVTTimer)&lvtTimerMode == lvtTimerDeadline {
			return fmt.Sprintf("the guest's APIC timer on vCPU %d is in TSC-deadline mode", c.id)
		}
	}
	return ""
}

// Bits 18:17 of the LVT timer register (SDM volume 3A, figure "Local Vector
// Table").
const (
	lvtTimerMode     = 3 << 17
	lvtTimerDeadline = 2 << 17
)

// cpuidWords is the number of words that an entry of CPUID's table is saved in.
const cpuidWords = 7

func saveCPUID(e *snapshot.Encoder, table []vcpu.CPUIDEntry) {
	var words []uint32
	for _, t := range table {
		words = append(words, t.Leaf, t.Subleaf, t.Match, t.EAX, t.EBX, t.ECX, t.EDX)
	}
	e.Uint32("cpuid-entries", uint32(len(table)))
	e.Uint32s("cpuid", words)
}

func restoreCPUID(d *snapshot.Decoder) []vcpu.CPUIDEntry {
	n := d.Uint32("cpuid-entries")
	if n > vcpu.CPUIDEntries {
		d.Refuse("cpuid-entries", "%d; a vCPU has at most %d", n, vcpu.CPUIDEntries)
		return nil
	}
	words := make([]uint32, cpuidWords*n)
	d.Uint32s("cpuid", words)
	table := make([]vcpu.CPUIDEntry, n)
	for i := range table {
		w := words[cpuidWords*i:]
		table[i] = vcpu.CPUIDEntry{Leaf: w[0], Subleaf: w[1], Match: w[2], EAX: w[3], EBX: w[4], ECX: w[5], EDX: w[6]}
	}
	return table
}
