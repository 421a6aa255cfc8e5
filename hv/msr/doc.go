// Package msr says which model-specific registers a guest has: by name, what
// a write may change, what stands there after a reset, and who keeps the
// value. A register that the table does not name does not exist: an access
// raises #GP and is counted.
//
// Imports allowed: x86, snapshot.
//
// Sources: Intel SDM volume 4 "Model-Specific Registers", section 2.1
// "Architectural MSRs"; SDM volume 3A section 12.11 "Memory Type Range
// Registers (MTRRs)"; AMD APM volume 2 appendix A "MSR Cross-Reference".
package msr
