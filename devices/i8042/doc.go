// Package i8042 is a keyboard controller with no keyboard or mouse: it answers
// its own commands truthfully, and does what guests still use it for, reset
// and the A20 gate. Port 92H, which does the same faster, is here too. A20 is
// remembered but masks no address: 64-bit processors have no such gate.
//
// Imports allowed: devices, snapshot.
//
// Source: IBM Personal Computer AT Technical Reference, "Keyboard Controller";
// Intel 8242 datasheet.
package i8042
