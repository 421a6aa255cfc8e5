package main

import (
	"encoding/json"
	"fmt"

	"ringo/api/node"
	"ringo/hv/vcpu"
	"ringo/nucleus"
)

// metrics is a line "ringo-metrics {...}" on the host's console, for programs
// such as qemu-tests/bench. Times are TSC ticks, sizes bytes.
type metrics struct {
	// Event is "up" when the node is ready and has started no VM yet, "start"
	// when a VM was started, "end" when one has come to an end.
	Event string `json:"event"`
	Ticks uint64 `json:"ticks"` // since the image's first instruction
	Idle  uint64 `json:"idle"`  // of those, without anything to do, over all CPUs
	Free  uint64 `json:"free"`  // memory in use for nothing
	// Memory and Tables are RAM and stage-2 tables in use by all VMs.
	Memory uint64 `json:"memory"`
	Tables uint64 `json:"tables"`

	// In "start" and "end": the VM, its exits and ticks since its last start.
	VM    string            `json:"vm,omitempty"`
	Guest uint64            `json:"guest,omitempty"`
	Host  uint64            `json:"host,omitempty"` // in the nucleus alone
	Exits map[string]uint64 `json:"exits,omitempty"`
	Fast  map[string]uint64 `json:"fast,omitempty"` // finished in the nucleus
}

// meter prints metrics of a node's VMs.
type meter struct {
	node   *node.Node
	starts map[*node.VM]uint64
	ends   map[*node.VM]uint64
}

// startMetrics prints the first line and then one for each start and end.
func startMetrics(n *node.Node) {
	m := &meter{node: n, starts: map[*node.VM]uint64{}, ends: map[*node.VM]uint64{}}
	w := n.Watch()
	m.print("up", nil)
	go func() {
		for range w.C {
			m.look()
		}
	}()
}

// look prints what has happened since the last time.
func (m *meter) look() {
	for _, v := range m.node.VMs() {
		s := v.Status()
		if s.Starts != m.starts[v] {
			m.starts[v] = s.Starts
			m.print("start", v)
		}
		if s.Ends != m.ends[v] {
			m.ends[v] = s.Ends
			m.print("end", v)
		}
	}
}

// print writes one line. v is the VM it is about, or nil.
func (m *meter) print(event string, v *node.VM) {
	x := metrics{Event: event, Ticks: nucleus.SinceEntry(), Free: nucleus.Memory().Free}
	for i := range nucleus.CPUs() {
		x.Idle += nucleus.StatsOf(i).Idle
	}
	for _, other := range m.node.VMs() {
		s := other.Stats()
		x.Memory += s.Memory
		x.Tables += s.Tables
	}
	if v != nil {
		s := v.Stats()
		x.VM, x.Guest, x.Host = v.Name(), s.GuestTicks, s.HostTicks
		x.Exits, x.Fast = byKind(&s.Exits), byKind(&s.Fast)
	}
	line, err := json.Marshal(x)
	if err != nil {
		line = []byte(err.Error())
	}
	fmt.Printf("\nringo-metrics %s\n", line)
}

// byKind names the kinds that were counted.
func byKind(counts *[vcpu.NumKinds]uint64) map[string]uint64 {
	named := map[string]uint64{}
	for kind, n := range counts {
		if n > 0 {
			named[vcpu.Kind(kind).String()] = n
		}
	}
	return named
}
