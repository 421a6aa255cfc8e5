// Package kvmclock is the paravirtual clock that KVM defines: the guest gives
// the address of a structure for each vCPU, from which it computes the time as
// a linear function of its TSC, without an exit.
//
// All vCPUs get the same line, so that the time agrees between them and the
// structures are marked stable. The line is drawn anew when the VM resumes.
//
// Imports allowed: devices, hv/vcpu, memory, snapshot, x86.
//
// Source: Linux documentation, "KVM-specific MSRs" (MSR_KVM_WALL_CLOCK_NEW,
// MSR_KVM_SYSTEM_TIME_NEW).
package kvmclock
