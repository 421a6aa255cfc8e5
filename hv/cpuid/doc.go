// Package cpuid decides what CPUID answers inside a guest: the host's own
// features, less what this hypervisor does not carry, less what the VM's
// definition hides, plus what is emulated; with the guest's own topology, its
// XSAVE layout and the hypervisor's leaves.
//
// A Baseline freezes all of that: it describes a processor in full, of either
// vendor, so that guests on it can move between unlike hosts.
//
// The host's CPUID is a function, so that a policy is the same wherever it is
// computed and tests bring processors of their own.
//
// Imports allowed: hv/vcpu (the table's form), x86.
//
// Sources: Intel SDM volume 2A, CPUID, table "Information Returned by CPUID
// Instruction"; AMD APM volume 3 appendix E "Obtaining Processor Information
// Via the CPUID Instruction"; Linux documentation "KVM CPUID bits".
package cpuid
