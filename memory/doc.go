// Package memory holds guest-physical memory: address types, the contracts of
// frames, stage-2 tables and device access, and what implements them:
//
//   - Table, the stage-2 table of four levels; memory/npt and memory/ept give
//     it the vendors' entry formats;
//   - Space, a VM's slots with a record per frame: faults, access from Go,
//     pins, and frames that are given back;
//   - the dirty logs of a Space;
//   - Arena, frames for tests and plain Linux;
//   - Model, which finds missing TLB flushes in debug runs.
//
// Imports allowed: the standard library and x86, so that it builds and tests on
// plain Linux; the image hands it the nucleus's frames as a PageAllocator.
//
// Lock order: a dirty log, then a chunk, then Table.change, then Table.walkers.
// No lock is held while the CPUs are flushed or a frame is waited for.
//
// Sources: AMD APM volume 2 section 15.25 "Nested Paging"; Intel SDM volume
// 3C section 29.3 "The Extended Page Table Mechanism (EPT)".
package memory
