// Command image is a test image: the nucleus with tests in the place of the
// hypervisor. The kernel command line says which groups run:
//
//	ringo test=gc,futex seed=17 rounds=3
//
// Each group prints "ok NAME" or "FAIL NAME: why"; at the end comes
// "verdict: PASS" or "verdict: FAIL" and the machine is switched off.
//
// Imports allowed: everything that the image may import.
package main
