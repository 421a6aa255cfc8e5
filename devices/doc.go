// Package devices holds what guest device models share: the port and MMIO
// buses, interrupt lines, clocks, and the life of a device. The models are in
// the packages below it, one device each.
//
// Locks: each model has one mutex. It may be held while a Line is set, because
// interrupts flow one way, from a device to a controller to a local APIC, and
// no controller calls back. It is never held while a callback to the outside
// runs (console output, power-off, reset), which may call the device again.
//
// Imports allowed: hv/vcpu, memory, snapshot, x86. Never hv, svm or vmx.
package devices
