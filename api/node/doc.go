// Package node is what one machine does with its VMs: it defines them from a
// bundle, starts those that start by themselves in their order, gives out the
// memory, carries out what a definition says about a crash or a power-off,
// keeps the log and each VM's scrollback, and turns the machine off in order.
//
// A Node works without a bundle too, so that a machine whose bundle is broken
// stays up and can be asked why.
//
// Whoever looks at a node (the console, later the management API) polls after
// a Watch fires: watches carry no data, so a slow reader holds nobody up and
// makes nothing grow.
//
// Imports allowed: api/bundle, hv. Never nucleus, svm or vmx: what the machine
// can do comes in by Host.
//
// Sources: ACPI Specification section 4.8.2.2.1 "Power Button" for the orderly
// shutdown; docs/bundle.md for the policies.
package node
