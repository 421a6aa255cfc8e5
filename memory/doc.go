// Package memory holds guest-physical memory: address types, frames, the
// guest's slots with their per-frame records, the dirty log, and the page
// table walker that memory/npt and memory/ept give entry formats to.
//
// It imports nothing of the project but x86 (constants), so it builds and
// tests on plain Linux; the image hands it the nucleus's frames through
// PageAllocator.
//
// Sources: AMD APM volume 2 section 15.25 "Nested Paging"; Intel SDM volume
// 3C section 29.3 "The Extended Page Table Mechanism (EPT)".
package memory
