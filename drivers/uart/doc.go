// Package uart drives the host's 16550A serial port by interrupts.
//
// Imports allowed: nucleus, nucleus/reg. Source: National Semiconductor
// PC16550D data sheet, section 8.0 "Registers".
package uart
