// Command ringo is the hypervisor's image: the only place where the nucleus, a
// vendor's backend, the VMs and the console are wired together.
//
// Options on the kernel command line (docs/boot.md): panic=halt|reboot,
// maxcpus=N, mitigations=auto|off|all, attach=yes|no, metrics (lines for
// programs that measure), and settings of the Go
// runtime such as GODEBUG=... and GOGC=...
//
// Imports allowed: everything.
package main
