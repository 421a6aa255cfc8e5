// Package lapic is the slow path to a vCPU's local APIC: the xAPIC's MMIO
// page, the MSRs that the nucleus leaves to Go, the LINT pins, and snapshots.
// The registers and what they do are in hv/vcpu/apic.
//
// Imports allowed: devices, hv/vcpu, hv/vcpu/apic, snapshot, x86.
//
// Source: Intel SDM volume 3A, chapter 11 "Advanced Programmable Interrupt
// Controller (APIC)", section 11.4.1 "The Local APIC Block Diagram".
package lapic
