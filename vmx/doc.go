// Package vmx runs guests on Intel processors with VT-x, extended page tables
// and unrestricted guests. It implements hv/vcpu.Backend, VM and VCPU over the
// nucleus.
//
// A vCPU is one piece of pointer-free memory outside the Go heap (vcpuMem): the
// nucleus's record of it, a copy of the guest state that the VMCS holds, the
// extended state, the VMCS region and the vcpu.Area. The loop in run.go works
// on that memory in the nucleus, without a P: it finishes CPUID, HLT, local
// APIC, time stamp counter and SYSCALL register exits and host interrupts
// there, and leaves everything else to VCPU.Run on the Go side. Files that hold
// code of the loop say so at their top; such code follows the rules of the
// fast path (no allocation, write barrier, map, interface, defer, closure or
// VEX instruction).
//
// A VMCS can be read only on the CPU that has loaded it. register.go keeps
// copies of its guest fields with a note of which are valid and which have
// changed; attach.go says on which CPU a VMCS is.
//
// Imports allowed: nucleus, nucleus/reg, hv/vcpu, hv/vcpu/apic, memory,
// memory/ept, x86. It is imported by cmd/ringo and by the test image.
//
// Sources: Intel SDM volume 3C, chapters 24 "Introduction to Virtual Machine
// Extensions", 25 "Virtual Machine Control Structures", 26 "VMX Non-Root
// Operation", 27 "VM Entries", 28 "VM Exits", 29 "VMX Support for Address
// Translation", 31 "VMX Instruction Reference"; volume 3D, appendices A "VMX
// Capability Reporting Facility", B "Field Encoding in VMCS" and C "VMX Basic
// Exit Reasons".
package vmx
