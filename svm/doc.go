// Package svm runs guests on AMD-V processors with nested paging. It
// implements hv/vcpu.Backend, VM and VCPU over the nucleus.
//
// A vCPU is one piece of pointer-free memory outside the Go heap (vcpuMemory):
// the nucleus's record of it, the VMCB, the extended state and the vcpu.Area.
// The loop in run.go works on that memory in the nucleus, without a P: it
// finishes CPUID, HLT, local APIC and time stamp counter exits and host
// interrupts there, and leaves everything else to VCPU.Run on the Go side.
// Files that hold code of the loop say so at their top; such code follows the
// rules of the fast path (no allocation, write barrier, map, interface,
// defer, closure or VEX instruction).
//
// Imports allowed: nucleus, nucleus/reg, hv/vcpu, hv/vcpu/apic, memory,
// memory/npt, x86, x86/insn. It is imported by cmd/ringo only.
//
// Sources: AMD64 Architecture Programmer's Manual volume 2 "System
// Programming", chapter 15 "Secure Virtual Machine", appendix B "Layout of
// VMCB" and appendix C "SVM Intercept Exit Codes"; volume 3, appendix E.4
// "Extended Feature Function Numbers", leaf 8000_000AH.
package svm
