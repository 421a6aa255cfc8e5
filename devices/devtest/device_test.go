package devtest_test

import (
	"ringo/devices"
	"ringo/devices/acpipm"
	"ringo/devices/debugcon"
	"ringo/devices/debugexit"
	"ringo/devices/i8042"
	"ringo/devices/ioapic"
	"ringo/devices/kvmclock"
	"ringo/devices/lapic"
	"ringo/devices/pic"
	"ringo/devices/pit"
	"ringo/devices/rtc"
	"ringo/devices/uart"
)

// Every model is a Device.
var _ = []devices.Device{
	(*acpipm.PM)(nil), (*debugcon.Console)(nil), (*debugexit.Device)(nil), (*i8042.Controller)(nil),
	(*ioapic.IOAPIC)(nil), (*kvmclock.Clock)(nil), (*lapic.LAPIC)(nil), (*pic.PIC)(nil), (*pit.PIT)(nil),
	(*rtc.RTC)(nil), (*uart.UART)(nil),
}
