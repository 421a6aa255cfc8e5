// Package apic is the software local APIC. It works directly on vcpu.Area, so
// that a backend finishes APIC accesses, IPIs and timer interrupts in the
// nucleus, and devices/lapic runs the same code from Go for the xAPIC's MMIO
// page and for snapshots.
//
// Everything here obeys the rules of the fast path: top-level functions over
// integers and pointers into memory outside the Go heap; no allocation, map,
// interface, defer, closure, string or stored pointer.
//
// Who may call what: Signal, SetIRR, Send and Deliver may be called on any CPU
// for any Area; everything else belongs to the CPU or goroutine that owns the
// vCPU. Registers that other CPUs read (APICBase, SVR, LDR, DFR, the LVT)
// are stored atomically, and TMR is changed atomically. Interrupts from other
// CPUs are posted (Area.Posted) and collected by the owner.
//
// A backend may have the processor serve an APIC in x2APIC mode, on the same
// page (virtual.go). It takes over what the owner has changed when the vCPU runs
// again after any exit but a plain port access; after one of those the owner has
// to call VCPU.Load, with no groups, if it has changed more than any CPU may.
//
// The model: version 14H, 7 LVT entries (CMCI included), no EOI-broadcast
// suppression, APIC ID equal to the vCPU's number and not writable, APIC page
// at its default address only. A timer tick is 1 ns before the divider.
//
// Imports allowed: hv/vcpu, x86.
//
// Sources: Intel SDM volume 3A, chapter 11 "Advanced Programmable Interrupt
// Controller (APIC)": 11.4 "Local APIC", 11.5 "Handling Local Interrupts",
// 11.6 "Issuing Interprocessor Interrupts", 11.8 "Handling Interrupts", 11.11
// "Message Signalled Interrupts", 11.12 "Extended XAPIC (x2APIC)".
package apic
