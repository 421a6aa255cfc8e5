// Package ioapic is the I/O APIC: 24 interrupt inputs, each with an entry that
// says which local APICs get which vector.
//
// Imports allowed: devices, hv/vcpu/apic, snapshot.
//
// Source: Intel 82093AA I/O Advanced Programmable Interrupt Controller
// datasheet, section 3.0 "Register Description"; the EOI register and version
// 20H as in Intel's ICH datasheets, "I/O APIC Direct Registers".
package ioapic
