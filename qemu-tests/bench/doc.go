// Command bench measures Ringo in an emulated machine where one instruction is
// one tick of the time stamp counter, so that the numbers repeat on any
// machine however busy it is.
//
//	bench [--emulator qemu|bochs] [--json] [--quick] [--build DIR] [--image FILE]
//	bench --compare FILE...
//
// QEMU has AMD-V, Bochs has VT-x. It is called in the folder of go.mod after
// "make image guests" and measures
//   - ticks per exit of each kind, with a tiny guest (package tiny), some also
//     with all mitigations of processor bugs;
//   - the expensive instructions that the host executes for one exit, from
//     the emulator's log (internal/trace);
//   - ticks, exits and the host's share from a Linux kernel's entry to the
//     first instruction of its init, in a VM and bare;
//   - the time to the first guest, and what image and host take of memory.
//
// The peer's column is Linux KVM in the same emulated machine, with QEMU on
// AMD-V and with kvmtool on VT-x. Its figures are constants, taken once;
// docs/benchmarks.md says how.
//
// What the console cannot tell comes from the lines that Ringo prints with the
// option "metrics" on its command line. A row that could not be measured says
// why, and the command then ends with code 1; a missed budget is only marked.
//
// --compare prints reports that --json has made side by side.
//
// Imports allowed: qemu-tests, qemu-tests/tiny, x86/asm.
package main
