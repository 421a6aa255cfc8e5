package svm

// This file is part of the loop in the nucleus, but for learnMove. It finishes
// the accesses to the xAPIC page that drivers make: a MOV of 32 bits in 64-bit
// mode, which Go has decoded once (code.go). Everything else goes to Go.

import (
	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/nucleus"
	"ringo/x86"
	"ringo/x86/insn"
)

// unusualFlags are those of RFLAGS that make a MOV do more.
const unusualFlags = x86.FlagTF | x86.FlagRF | x86.FlagAC | x86.FlagVM

// onAPICPage tells whether the nested page fault in the VMCB is a plain access
// to this vCPU's xAPIC page.
func (c *vcpuMem) onAPICPage() bool {
	ctl, s := &c.vmcb.Control, &c.vmcb.Save
	const is, not = npfFinal, npfTable | x86.PFFetch
	return ctl.ExitInfo2&^x86.PageOffset4K == x86.APICBaseDefault && ctl.ExitInfo1&(is|not) == is &&
		ctl.ExitIntInfo&EventV == 0 && s.RFLAGS&unusualFlags == 0 && c.step.on == 0 &&
		s.EFER&x86.EFERLMA != 0 && s.CS.Attrib&attribL != 0 && apic.XAPIC(&c.area)
}

// exitNPF serves a nested page fault.
func (c *vcpuMem) exitNPF() (nucleus.Verdict, bool) {
	if !c.onAPICPage() {
		return nucleus.VerdictExit, true
	}
	e := c.codeAt(c.vmcb.Save.RIP)
	if !e.holds(&c.vmcb.Save, c.ack.Load()) {
		c.reason = reasonMove
		return nucleus.VerdictExit, true
	}
	if e.move.Len == 0 {
		return nucleus.VerdictExit, true
	}
	r := c.accessAPIC(&e.move)
	if r == msrToGo {
		return nucleus.VerdictExit, true
	}
	c.count(vcpu.KindStage2)
	c.stepOver(c.vmcb.Save.RIP + uint64(e.move.Len))
	if r == msrDoneEOI {
		c.reason = reasonEOI
		return nucleus.VerdictExit, true
	}
	return 0, false
}

// accessAPIC carries out a MOV on the xAPIC page. The processor has translated
// and checked the address, and says in the VMCB where in the page it is: the
// address needs no second look. With msrToGo nothing has happened.
func (c *vcpuMem) accessAPIC(t *insn.Transfer) msrResult {
	ctl, s, gpr := &c.vmcb.Control, &c.vmcb.Save, &c.area.GPR
	offset := ctl.ExitInfo2 & x86.PageOffset4K
	if offset&15 != 0 || t.Write != (ctl.ExitInfo1&x86.PFWrite != 0) {
		return msrToGo
	}
	reg := uint32(offset >> 4)
	gpr[x86.RAX], gpr[x86.RSP] = s.RAX, s.RSP
	if t.Write {
		return c.writeAPIC(reg, uint64(uint32(t.Value(gpr))))
	}
	v, _ := apic.Read(&c.area, reg, c.left)
	t.Put(gpr, v)
	s.RAX, s.RSP = gpr[x86.RAX], gpr[x86.RSP]
	return msrDone
}

// learnMove decodes the instruction that accessed the xAPIC page, for the next
// time; this time Go serves it.
func (v *VCPU) learnMove() {
	c := v.c
	n := v.fetch.length(c, v.vm.area.Stage2Generation.Load())
	e := c.codeAt(c.vmcb.Save.RIP)
	if n == 0 || e.rip != c.vmcb.Save.RIP || e.length != n {
		return
	}
	in, err := insn.Decode(v.fetch.bytes[:n], insn.Mode64)
	if err != nil {
		return
	}
	if t, ok := in.Transfer(); ok && t.Size == 4 {
		e.move = t
	}
}
