// Package rtc is the MC146818 real-time clock with its CMOS memory. The time
// of day is the clock's wall time plus what the guest has changed it by;
// nothing ticks unless the guest waits for an interrupt.
//
// Imports allowed: devices, snapshot.
//
// Source: Motorola MC146818A datasheet, "Registers A, B, C, D", "Time,
// Calendar, and Alarm Locations", "Interrupts".
package rtc
