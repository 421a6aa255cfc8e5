// Package vcpu is the leaf contract between the vendor-neutral hypervisor
// and the vendor backends: what a Backend and a VCPU can do, what an Exit
// says, and Area, the pointer-free memory of one vCPU that the fast path in
// the nucleus, the backends and the device models share.
//
// Imports allowed: memory, x86. It is imported by devices, hv, svm, vmx and
// hv/hvtest, and holds no policy.
package vcpu
