// Package apictest makes the memory of a small VM for tests of the local APIC
// and of what delivers to it. The Areas are ordinary Go memory that a VM value
// keeps alive.
//
// Imports allowed: hv/vcpu, hv/vcpu/apic.
package apictest
