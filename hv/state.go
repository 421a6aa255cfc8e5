package hv

import "fmt"

// State is where a VM is in its life.
type State uint8

const (
	StateCreated State = iota // defined; holds no memory
	StateRunning
	StatePaused  // every vCPU and device at rest; memory kept
	StateStopped // off; holds no memory
	StateCrashed // stopped by a failure; kept for inspection until Start or Stop
)

var stateNames = [...]string{"created", "running", "paused", "stopped", "crashed"}

// String is the state in the words of the console.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Cause says what ended a VM's run.
type Cause uint8

const (
	CauseNone      Cause = iota
	CauseStop            // the administrator
	CausePowerOff        // the guest, by ACPI
	CauseDebugExit       // the guest, by the debug-exit port; Code is what it wrote
	CauseShutdown        // triple fault
	CauseGuest           // the guest did what cannot be carried out
	CauseDeadline        // the run-until deadline has passed
	CauseHost            // a failure of this hypervisor while it served the VM
)

var causeNames = [...]string{
	"", "stopped", "powered off", "debug exit", "triple fault",
	"guest error", "run-until deadline passed", "host error",
}

// String is the cause in the words of the console.
func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return fmt.Sprintf("cause %d", uint8(c))
}

// Crash says whether the cause leaves the VM crashed rather than stopped.
func (c Cause) Crash() bool { return c >= CauseShutdown }

// Reason is why a VM stopped.
type Reason struct {
	Cause  Cause
	Code   uint32  // value of CauseDebugExit
	Detail string  // one line more, or empty
	Report *Report // the vCPU at the moment of a crash, or nil
}

// String is the reason on one line.
func (r Reason) String() string {
	s := r.Cause.String()
	if r.Cause == CauseDebugExit {
		s = fmt.Sprintf("%s with code %d", s, r.Code)
	}
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}
