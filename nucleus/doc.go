// Package nucleus lets the unmodified Go runtime run at CPL0 with nothing
// under it. The runtime believes that it is on Linux: its SYSCALL
// instructions land in this package, which serves them in the same address
// space with threads, futexes, timers, epoll, signals and demand-paged memory
// of its own. Beside the threads it schedules guests (vCPUs).
//
// Two kinds of code live here. Nucleus code runs on a CPU's own stack with
// interrupts disabled and a fake g: no allocation, no map, no interface
// conversion, no defer, no pointer stored to memory (so no write barrier), no
// blocking. Go-side code is ordinary Go that reaches the nucleus by system
// calls of our own; its files are named *_go.go.
//
// State of a thread is complete in its Thread record whenever nucleus code
// runs, so to block is to mark the record and pick another. Locks, in the
// order in which they are taken: futex bucket or event table, CPU, address
// space, frames. A page fault may nest inside nucleus code; it takes the
// address-space lock, so code that holds that lock touches no user memory.
//
// Imports allowed: memory (address types), x86, nucleus/reg, gVisor's
// pkg/abi/linux.
//
// Sources: AMD APM volume 2 chapters 4, 5, 8 and 16; Intel SDM volume 3A
// chapters 4 to 6 and 11; the Linux man pages, section 2, for the calls.
package nucleus
