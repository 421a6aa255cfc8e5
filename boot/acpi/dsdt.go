package acpi

import (
	"fmt"

	"ringo/boot/acpi/aml"
	"ringo/boot/layout"
)

// dsdtRevision of 2 makes AML integers 64 bits wide.
const dsdtRevision = 2

// staPresent is what _STA gives for a device that is present, enabled, shown
// and working.
const staPresent = 0xF

// newDSDT makes the DSDT of a machine with n processors.
func newDSDT(n int) ([]byte, error) {
	devices := []aml.Term{board(), pic(), pit(), rtc(), com1()}
	for i := range n {
		devices = append(devices, processorDevice(i))
	}
	return table("DSDT", dsdtRevision, []byte(aml.Scope(`\_SB`, devices...)), []byte(sleepState5()))
}

// sleepState5 is the value of PM1_CNT.SLP_TYP that turns the machine off.
func sleepState5() aml.Term {
	zero := aml.Integer(0)
	return aml.Name(`\_S5`, aml.Package(aml.Integer(layout.S5SleepType), zero, zero, zero))
}

// processorDevice is the processor whose MADT entry has the same UID.
func processorDevice(i int) aml.Term {
	return aml.Device(fmt.Sprintf("C%03X", i),
		aml.Name("_HID", aml.String("ACPI0007")),
		aml.Name("_UID", aml.Integer(uint64(i))),
	)
}

// board reserves what belongs to no other device.
func board() aml.Term {
	return aml.Device("MBRD",
		aml.Name("_HID", aml.EISAID("PNP0C02")),
		aml.Name("_UID", aml.Integer(0)),
		aml.Name("_CRS", aml.Resources(
			aml.IO(layout.DebugExitPort, 4),
			aml.IO(layout.ELCRPort, 2),
			aml.IO(layout.PMBase, layout.PMSize),
			aml.IO(layout.ResetPort, 1),
			aml.Memory32(uint32(layout.IOAPICBase), layout.IOAPICSize),
			aml.Memory32(uint32(layout.DebugWindowBase), layout.DebugWindowSize),
			aml.Memory32(uint32(layout.LAPICBase), layout.LAPICSize),
		)),
	)
}

// pic is the pair of 8259A.
func pic() aml.Term {
	return aml.Device("PIC",
		aml.Name("_HID", aml.EISAID("PNP0000")),
		aml.Name("_CRS", aml.Resources(
			aml.IO(layout.PIC1Port, 2), aml.IO(layout.PIC2Port, 2), aml.IRQ(2))),
	)
}

// pit is the 8254.
func pit() aml.Term {
	return aml.Device("TIMR",
		aml.Name("_HID", aml.EISAID("PNP0100")),
		aml.Name("_CRS", aml.Resources(aml.IO(layout.PITPort, 4), aml.IRQ(layout.PITIRQ))),
	)
}

// rtc is the MC146818.
func rtc() aml.Term {
	return aml.Device("RTC",
		aml.Name("_HID", aml.EISAID("PNP0B00")),
		aml.Name("_CRS", aml.Resources(aml.IO(layout.RTCPort, 2), aml.IRQ(layout.RTCIRQ))),
	)
}

// com1 is the first 16550.
func com1() aml.Term {
	return aml.Device("COM1",
		aml.Name("_HID", aml.EISAID("PNP0501")),
		aml.Name("_UID", aml.Integer(1)),
		aml.Name("_STA", aml.Integer(staPresent)),
		aml.Name("_CRS", aml.Resources(aml.IO(layout.COM1Port, 8), aml.IRQ(layout.COM1IRQ))),
	)
}
