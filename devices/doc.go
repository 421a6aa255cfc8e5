// Package devices holds what guest device models share: the port and MMIO
// buses, interrupt lines, clocks, and the life of a device. The models are in
// the packages below it, one device each.
//
// Imports allowed: hv/vcpu, memory, snapshot, x86. Never hv, svm or vmx.
package devices
