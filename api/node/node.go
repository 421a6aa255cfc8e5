package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"ringo/api/bundle"
	"ringo/hv"
)

// Node is one machine and its VMs. Any goroutine may use it.
type Node struct {
	host    Host
	log     Log
	ledger  ledger
	started time.Time
	changed signal

	// life ends when the node begins to turn off: it stops Autostart.
	life context.Context
	end  context.CancelFunc

	mu       sync.Mutex
	settings bundle.Node
	vms      []*VM // in the order of ringo.yaml
	order    []*VM // those that start by themselves, in their order
	closing  bool
}

// New makes a node without VMs.
func New(h Host) (*Node, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	n := &Node{host: h, started: time.Now(), settings: bundle.Node{Name: "ringo"}}
	n.ledger.total = h.Memory
	n.log.least = LevelInfo
	n.host.HV.Log = n.log.Infof
	n.life, n.end = context.WithCancel(context.Background())
	return n, nil
}

// Load takes over the settings and VM definitions of a bundle; it is called
// once. A VM that this machine cannot run is left out, and the error, which
// joins one for each such VM, says why; the others are there.
func (n *Node) Load(b *bundle.Bundle) error {
	n.log.SetLevel(levelOf(b.Node.LogLevel))
	byIndex := map[int]*VM{}
	var vms, order []*VM
	var errs []error
	for i := range b.VMs {
		v, err := newVM(n, b, &b.VMs[i])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		byIndex[i] = v
		vms = append(vms, v)
	}
	for _, i := range b.StartOrder() {
		if v := byIndex[i]; v != nil {
			order = append(order, v)
		}
	}
	n.mu.Lock()
	n.settings, n.vms, n.order = b.Node, vms, order
	n.mu.Unlock()
	n.changed.notify()
	return errors.Join(errs...)
}

// Settings are the node's settings from the bundle.
func (n *Node) Settings() bundle.Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.settings
}

// Log is the node's log.
func (n *Node) Log() *Log { return &n.log }

// Uptime is how long ago the node was made.
func (n *Node) Uptime() time.Duration { return time.Since(n.started) }

// Memory is how the node's memory is used.
func (n *Node) Memory() Memory { return n.ledger.memory() }

// TSCHz is the frequency of the ticks in hv.Stats.
func (n *Node) TSCHz() uint64 { return n.host.HV.TSCHz }

// Watch fires when a VM has changed its state.
func (n *Node) Watch() *Watch { return n.changed.watch() }

// VMs are the node's VMs in the order of ringo.yaml.
func (n *Node) VMs() []*VM {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*VM(nil), n.vms...)
}

// First is the VM that starts by itself before all others, or nil.
func (n *Node) First() *VM {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.order) == 0 {
		return nil
	}
	return n.order[0]
}

// VM finds a VM by its name.
func (n *Node) VM(name string) (*VM, error) {
	vms := n.VMs()
	names := make([]string, len(vms))
	for i, v := range vms {
		if v.Name() == name {
			return v, nil
		}
		names[i] = v.Name()
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: %q; this node has none", ErrNoVM, name)
	}
	return nil, fmt.Errorf("%w: %q; there are: %s", ErrNoVM, name, strings.Join(names, ", "))
}

// Autostart starts the VMs that start by themselves, one after the other, and
// returns when it is through. One that cannot start is logged and left.
func (n *Node) Autostart() {
	n.mu.Lock()
	order := n.order
	n.mu.Unlock()
	for _, v := range order {
		if !n.sleep(v.def.StartDelay) {
			return
		}
		switch err := v.autostart(); {
		case errors.Is(err, ErrClosing):
			return
		case err != nil:
			n.log.Errorf("%v", err)
		}
	}
}

// sleep waits; false if the node begins to turn off meanwhile.
func (n *Node) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return n.life.Err() == nil
	case <-n.life.Done():
		return false
	}
}

// open is nil unless the node is about to turn off.
func (n *Node) open() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closing {
		return ErrClosing
	}
	return nil
}

// setClosing says whether VMs may be started.
func (n *Node) setClosing(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closing = on
}

// on says whether a VM in that state holds memory and may be at work.
func on(s hv.State) bool { return s == hv.StateRunning || s == hv.StatePaused }
