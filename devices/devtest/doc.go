// Package devtest helps to test device models: a line that records, guest
// memory in a slice, a device that fails when told to, and checks that every
// model must pass (snapshots, random accesses). It imports no testing package,
// so that a test image can link the failing device.
//
// Imports allowed: devices, memory, snapshot.
package devtest
