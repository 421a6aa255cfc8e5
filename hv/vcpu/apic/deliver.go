package apic

import "ringo/hv/vcpu"

// Send sends the interprocessor interrupt that from has written to its ICR.
// wake is called for each other vCPU that has something new to look at; from
// itself looks anyway. wake must be a top-level function in the nucleus.
func Send(vm *vcpu.VMArea, from *vcpu.Area, icr uint64, wake func(*vcpu.Area)) {
	m := Message{
		Vector:  uint8(icr),
		Mode:    uint8(icr >> icrModeShift & 7),
		Logical: icr&icrLogical != 0,
	}
	if fixed(m.Mode) && m.Vector < minVector {
		logError(from, esrSendIllegalVector)
		return
	}
	if m.Mode == DeliveryINIT && icr&(icrLevel|icrAssert) == icrLevel {
		return // INIT level de-assert: today's processors ignore it
	}
	switch icr & icrShorthand {
	case icrSelf:
		accept(from, m, from, wake)
		return
	case icrAll, icrAllButSelf:
		m.Dest, m.Logical = Broadcast, false
	default:
		m.Dest = uint32(icr >> icrDestShift)
		if !X2APIC(from) {
			m.Dest = wide(uint32(icr>>icrXAPICDestShift), m.Logical)
		}
	}
	var skip *vcpu.Area
	if icr&icrShorthand == icrAllButSelf {
		skip = from
	}
	deliver(vm, m, from, skip, wake)
}

// Deliver delivers the message of an I/O APIC or a device, from any CPU.
func Deliver(vm *vcpu.VMArea, m Message, wake func(*vcpu.Area)) {
	deliver(vm, m, nil, nil, wake)
}

// deliver gives m to every APIC that it is addressed to but skip. from, which
// may be nil, is not woken.
func deliver(vm *vcpu.VMArea, m Message, from, skip *vcpu.Area, wake func(*vcpu.Area)) {
	if m.Mode == DeliveryLowestPriority {
		if t := arbitrate(vm, m, skip); t != nil {
			accept(t, m, from, wake)
		}
		return
	}
	if !m.Logical && m.Dest != Broadcast {
		// The APIC ID is the vCPU's number.
		if t := vm.Vcpu(m.Dest); t != nil && t != skip && matches(t, m) {
			accept(t, m, from, wake)
		}
		return
	}
	for i := uint32(0); i < vm.NumVCPUs; i++ {
		if t := vm.Vcpu(i); t != nil && t != skip && matches(t, m) {
			accept(t, m, from, wake)
		}
	}
}

// arbitrate chooses one of the APICs that m is addressed to and that accept
// interrupts: the vector picks it, so that sources spread and a run can be
// repeated. Processors are free in this choice.
func arbitrate(vm *vcpu.VMArea, m Message, skip *vcpu.Area) *vcpu.Area {
	n := uint32(0)
	for i := uint32(0); i < vm.NumVCPUs; i++ {
		if t := vm.Vcpu(i); t != nil && t != skip && matches(t, m) && accepts(t) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	left := uint32(m.Vector) % n
	for i := uint32(0); i < vm.NumVCPUs; i++ {
		if t := vm.Vcpu(i); t != nil && t != skip && matches(t, m) && accepts(t) {
			if left == 0 {
				return t
			}
			left--
		}
	}
	return nil // another CPU disabled its APIC in between
}

// matches says whether t is a destination of m (SDM volume 3A, section 11.6.2
// "Determining IPI Destination", and 11.12.10 for x2APIC mode).
func matches(t *vcpu.Area, m Message) bool {
	x2 := X2APIC(t)
	if !m.Logical {
		return m.Dest == Broadcast || m.Dest == t.ID && (x2 || m.Dest < xAPICBroadcast)
	}
	if x2 {
		return m.Dest == Broadcast || m.Dest>>16 == t.ID>>4 && m.Dest>>(t.ID&15)&1 != 0
	}
	if m.Dest > 0xFF {
		return m.Dest == Broadcast
	}
	ldr := reg(t, vcpu.APICLDR) >> 24
	switch reg(t, vcpu.APICDFR) >> 28 {
	case 0xF: // flat model
		return m.Dest&ldr != 0
	case 0: // cluster model
		return (m.Dest>>4 == ldr>>4 || m.Dest>>4 == 0xF) && m.Dest&ldr&0xF != 0
	}
	return false
}

// accepts says whether t takes interrupts with a vector: the APIC is enabled,
// by IA32_APIC_BASE and by software.
func accepts(t *vcpu.Area) bool {
	return Enabled(t) && reg(t, vcpu.APICSVR)&svrEnable != 0
}

func fixed(mode uint8) bool { return mode == DeliveryFixed || mode == DeliveryLowestPriority }

// accept gives m to t. An APIC that software has disabled still takes NMI,
// INIT and SIPI; one that IA32_APIC_BASE disables takes nothing. SMI and
// ExtINT messages have no effect: there is no SMM, and the PIC is wired to
// LINT0.
func accept(t *vcpu.Area, m Message, from *vcpu.Area, wake func(*vcpu.Area)) {
	if !Enabled(t) {
		return
	}
	switch {
	case fixed(m.Mode):
		if !accepts(t) {
			return
		}
		switch {
		case m.Vector < minVector:
			logError(t, esrReceiveIllegalVector)
		case t == from:
			request(t, m.Vector, m.Level)
		default:
			SetIRR(t, m.Vector, m.Level)
		}
	case m.Mode == DeliveryNMI:
		t.Request.Or(vcpu.RequestNMI)
	case m.Mode == DeliveryINIT:
		t.Request.Or(vcpu.RequestINIT)
	case m.Mode == DeliveryStartUp:
		t.SIPI.Store(uint32(m.Vector))
		t.Request.Or(vcpu.RequestSIPI)
	default:
		return
	}
	if t != from {
		wake(t)
	}
}
