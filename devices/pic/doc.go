// Package pic is the pair of 8259A programmable interrupt controllers of a PC,
// with the edge/level control registers of later chipsets.
//
// Imports allowed: devices, snapshot.
//
// Sources: Intel 8259A datasheet, "Programming the 8259A" (initialization
// command words ICW1 to ICW4, operation command words OCW1 to OCW3); Intel
// PIIX3 datasheet for ELCR1 and ELCR2.
package pic
