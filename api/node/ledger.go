package node

import (
	"fmt"
	"sync"

	"ringo/api/bundle"
)

// ledger gives out the node's memory. A VM's RAM is promised whole when it
// starts, though frames are taken only as the guest touches them: a guest
// never waits because another was started.
type ledger struct {
	total uint64

	mu   sync.Mutex
	used uint64
	lost uint64 // of VMs that failed so badly that their memory is kept
}

// take promises the VM's memory.
func (l *ledger) take(d *bundle.VM) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	free := l.total - l.used - l.lost
	if d.Memory > free {
		return d.Problem("memory", ErrMemory, "VM %s needs %s, the node has %s free of %s",
			d.Name, mib(d.Memory), mib(free), mib(l.total))
	}
	l.used += d.Memory
	return nil
}

// give takes a promise back. Memory that is lost is never promised again.
func (l *ledger) give(n uint64, lost bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used -= n
	if lost {
		l.lost += n
	}
}

// Memory is how the node's memory is used, in bytes.
type Memory struct {
	Total uint64 // for all VMs together
	Free  uint64 // promised to no VM
	Lost  uint64 // kept by VMs that failed inside Ringo; back after a reboot
}

func (l *ledger) memory() Memory {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Memory{Total: l.total, Free: l.total - l.used - l.lost, Lost: l.lost}
}

// mib is a size for people, rounded down.
func mib(n uint64) string { return fmt.Sprintf("%d MiB", n>>20) }
