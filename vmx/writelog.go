package vmx

import (
	"sync"

	"ringo/memory"
)

// stage2 is an extended page table on a processor with page-modification
// logging.
type stage2 struct {
	*memory.Table

	// lock guards what follows, and the part of each vCPU's log that has been
	// told.
	lock  sync.Mutex
	noted func(memory.GPA) // nil: writes are not noted
	times uint32           // how often the noting began
	vm    *VM              // whose vCPUs use the table, or nil
}

var (
	_ memory.Stage2      = (*stage2)(nil)
	_ memory.WriteLogger = (*stage2)(nil)
)

// use makes the table that of a VM, or of none.
func (s *stage2) use(vm *VM) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.vm = vm
}

// join makes a new vCPU note writes if the others do.
func (s *stage2) join(v *VCPU) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.noted != nil {
		v.wantLog(s.times)
	}
}

// LogWrites implements memory.WriteLogger.
func (s *stage2) LogWrites(noted func(memory.GPA)) {
	s.lock.Lock()
	s.noted = noted
	want := uint32(0)
	if noted != nil {
		s.times++
		want = s.times
	}
	if s.vm != nil {
		s.vm.eachVCPU(func(v *VCPU) { v.wantLog(want) })
	}
	s.lock.Unlock()
	s.Outdate()
	s.Flush()
}

// wantLog has the vCPU note writes from its next entry on, in an empty log, or
// not. want is 0 or a new number.
func (v *VCPU) wantLog(want uint32) {
	v.told = logEntries - 1
	v.c.wantLog.Store(want)
}

// Collect implements memory.WriteLogger. A vCPU publishes its index before it
// acknowledges a flush, and at the end of each turn.
func (s *stage2) Collect() {
	s.lock.Lock()
	vm, on := s.vm, s.noted != nil
	s.lock.Unlock()
	if vm == nil || !on {
		return
	}
	s.Outdate()
	s.Flush()
	s.lock.Lock()
	defer s.lock.Unlock()
	vm.eachVCPU(s.drain)
}

// drain tells what a vCPU's log holds beyond what was told before. lock is held.
func (s *stage2) drain(v *VCPU) {
	published := v.c.logIndex.Load()
	if uint32(published>>16) != s.times || s.noted == nil {
		return // an earlier log's
	}
	// The index is that of the next entry that the processor writes; below 0
	// the log is full.
	for next := max(int(int16(published)), -1); v.told > next; v.told-- {
		s.noted(memory.GPA(v.c.log[v.told] &^ (pageSize - 1)))
	}
}

// emptyLog makes room in a full log; the vCPU is outside of the guest.
func (v *VCPU) emptyLog() {
	s, ok := v.vm.stage2.(*stage2)
	if !ok {
		return // a log that is never on
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.drain(v)
	v.told = logEntries - 1
	v.c.publish(logEntries - 1)
	v.c.emptied = 1
	v.c.tlbOf = 0 // syncLog looks
}

// eachVCPU calls f for every vCPU of the VM.
func (vm *VM) eachVCPU(f func(*VCPU)) {
	vm.lock.RLock()
	defer vm.lock.RUnlock()
	for _, v := range vm.vcpus {
		f(v)
	}
}
