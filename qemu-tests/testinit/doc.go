// Command testinit is the first and only process of the test guest: it tells
// on the console what machine it finds, runs the checks that the kernel's
// command line names, and powers off.
//
//	ringo.test=NAME[,NAME...]   checks to run, see the table in checks.go
//	ringo.end=poweroff          how to end: poweroff (default), reboot, halt,
//	                            panic, or stay (never)
//
// What it prints, a line each:
//
//	RINGO-GUEST-UP cpus=2 mem=238944kB clocksource=kvm-clock
//	RINGO-CHECK timer PASS
//	RINGO-CHECK clock FAIL went back by 12 ns
//	RINGO-GUEST-DONE failed=1
//
// Imports allowed: nothing of the project.
package main
