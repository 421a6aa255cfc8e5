// Package pit is the 8254 programmable interval timer and the bits of port 61H
// that belong to it. A count is never stepped: it is computed from the clock
// when somebody looks. A new count takes effect at once, in every mode.
//
// Imports allowed: devices, snapshot.
//
// Source: Intel 8254 datasheet, "Programming the 8254", "Mode Definitions",
// "Read-Back Command".
package pit
