package node

import (
	"time"

	"ringo/api/bundle"
	"ringo/hv"
)

// ended is told that the VM stopped by itself, or was paused by its deadline.
func (v *VM) ended(r hv.Reason) {
	_ = v.operate(func() error {
		if r.Cause == hv.CauseDeadline {
			v.node.log.Warnf("VM %s: paused: %s", v.def.Name, r)
		}
		return nil
	})
}

// finish carries out what the definition says about a VM that has come to an
// end, once for each run. The caller holds op.
func (v *VM) finish() {
	s := v.machine.State()
	if on(s) || !v.dealt() {
		return
	}
	if s == hv.StateCrashed {
		v.crashed(v.machine.Reason())
	} else {
		v.poweredOff()
	}
	v.countEnd()
}

// dealt notes that the end of this run is dealt with; false if it was already.
func (v *VM) dealt() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return false
	}
	v.over = true
	return true
}

// countEnd tells those who watch that the VM has come to an end and all is
// done about it.
func (v *VM) countEnd() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ends++
}

// poweredOff is for a VM that turned itself off; hv has taken all from it.
func (v *VM) poweredOff() {
	v.settle(nil)
	v.mu.Lock()
	again := v.def.OnPoweroff == bundle.PoweroffRestart && !v.asked
	v.mu.Unlock()
	if again {
		v.startAgain("on-poweroff")
	}
}

// crashed is for a VM that cannot go on; hv keeps it as it is.
func (v *VM) crashed(r hv.Reason) {
	log := &v.node.log
	report := ""
	if r.Report != nil {
		report = "\n" + r.Report.String()
	}
	log.Errorf("VM %s: crashed: %s%s", v.def.Name, r, report)
	if v.def.OnCrash == bundle.CrashKeep {
		log.Infof("VM %s: kept for inspection (on-crash: keep)", v.def.Name)
		return
	}
	err := v.machine.Stop()
	v.settle(err)
	if err != nil {
		log.Errorf("%v", err)
	}
	if v.def.OnCrash == bundle.CrashRestart {
		v.startAgain("on-crash")
	}
}

// startAgain starts the VM after a delay that grows while it does not last.
// The caller holds op.
func (v *VM) startAgain(key string) {
	if v.node.open() != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	delay := v.backoff.next(time.Since(v.startedAt))
	r := &restart{at: time.Now().Add(delay)}
	r.timer = time.AfterFunc(delay, func() { v.due(r, key) })
	v.restart = r
	v.node.log.Infof("VM %s: starts again in %s (%s: restart)", v.def.Name, delay, key)
}

// due is the time of a restart, unless it was canceled or the node closes.
func (v *VM) due(r *restart, key string) {
	_ = v.operate(func() error {
		v.mu.Lock()
		canceled := v.restart != r
		if !canceled {
			v.restart, v.startedAt = nil, time.Now()
		}
		v.mu.Unlock()
		if canceled {
			return nil
		}
		if err := v.start(); err != nil {
			v.node.log.Errorf("%v", err)
			v.startAgain(key)
		}
		return nil
	})
}

// cancelRestart says whether a restart was due. The caller holds op.
func (v *VM) cancelRestart() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.restart == nil {
		return false
	}
	v.restart.timer.Stop()
	v.restart = nil
	return true
}
