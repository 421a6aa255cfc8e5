package vmx

// This file is part of the loop in the nucleus: copies of the guest fields of
// the VMCS. A copy is read when it is needed and written when it has changed.

import (
	"math/bits"

	"ringo/x86"
)

// Indices of vcpuHead.regs. RIP, RFLAGS and RSP come first because they move
// most; the others are grouped in parts.
const (
	regRIP = iota
	regRFLAGS
	regRSP
	regAR       // access rights of the segments, in the order of x86.State.Seg
	regSelector = regAR + x86.NumSeg
	regBase     = regSelector + x86.NumSeg
	regLimit    = regBase + x86.NumSeg
	regGDTRBase = regLimit + x86.NumSeg
)

const (
	regGDTRLimit = regGDTRBase + 1 + iota
	regIDTRBase
	regIDTRLimit
	regCR0
	regCR3
	regCR4
	regPDPTE0
	regPDPTE1
	regPDPTE2
	regPDPTE3
	regEFER
	regCR0Shadow
	regCR4Shadow
	regEntryControls
	regDR7
	regDebugCtl
	regSysenterCS
	regSysenterESP
	regSysenterEIP
	regPAT
	regInterruptibility
	regPendingDebug
	numRegs
)

// fieldOf are the VMCS fields of the copies.
var fieldOf = [numRegs]Field{
	regRIP: FieldGuestRIP, regRFLAGS: FieldGuestRFLAGS, regRSP: FieldGuestRSP,

	regAR + x86.ES: FieldGuestESAccessRights, regAR + x86.CS: FieldGuestCSAccessRights,
	regAR + x86.SS: FieldGuestSSAccessRights, regAR + x86.DS: FieldGuestDSAccessRights,
	regAR + x86.FS: FieldGuestFSAccessRights, regAR + x86.GS: FieldGuestGSAccessRights,
	regAR + x86.LDTR: FieldGuestLDTRAccessRights, regAR + x86.TR: FieldGuestTRAccessRights,

	regSelector + x86.ES: FieldGuestESSelector, regSelector + x86.CS: FieldGuestCSSelector,
	regSelector + x86.SS: FieldGuestSSSelector, regSelector + x86.DS: FieldGuestDSSelector,
	regSelector + x86.FS: FieldGuestFSSelector, regSelector + x86.GS: FieldGuestGSSelector,
	regSelector + x86.LDTR: FieldGuestLDTRSelector, regSelector + x86.TR: FieldGuestTRSelector,

	regBase + x86.ES: FieldGuestESBase, regBase + x86.CS: FieldGuestCSBase,
	regBase + x86.SS: FieldGuestSSBase, regBase + x86.DS: FieldGuestDSBase,
	regBase + x86.FS: FieldGuestFSBase, regBase + x86.GS: FieldGuestGSBase,
	regBase + x86.LDTR: FieldGuestLDTRBase, regBase + x86.TR: FieldGuestTRBase,

	regLimit + x86.ES: FieldGuestESLimit, regLimit + x86.CS: FieldGuestCSLimit,
	regLimit + x86.SS: FieldGuestSSLimit, regLimit + x86.DS: FieldGuestDSLimit,
	regLimit + x86.FS: FieldGuestFSLimit, regLimit + x86.GS: FieldGuestGSLimit,
	regLimit + x86.LDTR: FieldGuestLDTRLimit, regLimit + x86.TR: FieldGuestTRLimit,

	regGDTRBase: FieldGuestGDTRBase, regGDTRLimit: FieldGuestGDTRLimit,
	regIDTRBase: FieldGuestIDTRBase, regIDTRLimit: FieldGuestIDTRLimit,
	regCR0: FieldGuestCR0, regCR3: FieldGuestCR3, regCR4: FieldGuestCR4,
	regPDPTE0: FieldGuestPDPTE0, regPDPTE1: FieldGuestPDPTE1,
	regPDPTE2: FieldGuestPDPTE2, regPDPTE3: FieldGuestPDPTE3,
	regEFER: FieldGuestEFER, regCR0Shadow: FieldCR0ReadShadow, regCR4Shadow: FieldCR4ReadShadow,
	regEntryControls: FieldEntryControls,
	regDR7:           FieldGuestDR7, regDebugCtl: FieldGuestDebugCtl,
	regSysenterCS: FieldGuestSysenterCS, regSysenterESP: FieldGuestSysenterESP, regSysenterEIP: FieldGuestSysenterEIP,
	regPAT:              FieldGuestPAT,
	regInterruptibility: FieldGuestInterruptibility, regPendingDebug: FieldGuestPendingDebug,
}

// Parts of the copies that are valid or changed together.
const (
	partIP = 1 << iota // entry_amd64.s knows this one
	partFlags
	partSP
	partAR
	partSeg
	partTable
	partCR
	partPDPTE
	partMode // nobody changes it without an exit: always valid
	partDebug
	partSysenter
	partPAT
	partInterrupt

	numParts = iota
	partAll  = 1<<numParts - 1

	// partExit is what exited has read.
	partExit = partIP | partFlags | partMode
	// partPaging is what vcpu.Pager tells of 64-bit code.
	partPaging = partCR | partAR | partInterrupt
)

// partRange is where each part begins; it ends where the next one begins.
var partRange = [numParts + 1]uint8{
	regRIP, regRFLAGS, regRSP, regAR, regSelector, regGDTRBase, regCR0, regPDPTE0, regEFER, regDR7, regSysenterCS,
	regPAT, regInterruptibility, numRegs,
}

// partAt is where the first part of a set begins, and how many registers it has.
func partAt(parts uint32) (first, n int) {
	i := bits.TrailingZeros32(parts)
	first = int(partRange[i])
	return first, int(partRange[i+1]) - first
}

// fetch reads the parts that are not valid. The VMCS is current.
func (c *vcpuMem) fetch(parts uint32) {
	missing := parts &^ c.valid
	if missing == 0 {
		return
	}
	for left := missing; left != 0; left &= left - 1 {
		first, n := partAt(left)
		vmreadAll(&fieldOf[first], &c.regs[first], n)
	}
	c.valid |= missing
	if missing&partInterrupt != 0 && c.stepped != 0 {
		c.endShadow()
	}
}

// writeBack writes the parts that have changed, but RIP, which enter writes.
// The VMCS is current.
func (c *vcpuMem) writeBack() {
	if c.dirty&partInterrupt != 0 {
		c.settlePendingDebug()
	}
	for left := c.dirty &^ partIP; left != 0; left &= left - 1 {
		first, n := partAt(left)
		vmwriteAll(&fieldOf[first], &c.regs[first], n)
	}
	c.dirty &= partIP
}

// changed notes that the copies of these parts are newer than the VMCS.
func (c *vcpuMem) changed(parts uint32) {
	c.valid |= parts
	c.dirty |= parts
}

// settlePendingDebug makes the pending debug exceptions fit a shadow that was
// written: VM entry wants a pending single step there exactly if RFLAGS.TF is
// set (SDM volume 3C, section 27.3.1.5 "Checks on Guest Non-Register State").
func (c *vcpuMem) settlePendingDebug() {
	c.regs[regPendingDebug] = 0
	if c.regs[regInterruptibility]&shadowBits != 0 && c.regs[regRFLAGS]&x86.FlagTF != 0 &&
		c.regs[regDebugCtl]&x86.DebugCtlBTF == 0 {
		c.regs[regPendingDebug] = pendingBS
	}
}

// shadow tells whether the guest is in an interrupt shadow. The VMCS is
// current, or the part is valid.
func (c *vcpuMem) shadow() bool {
	c.fetch(partInterrupt)
	return c.regs[regInterruptibility]&shadowBits != 0
}

// endShadow ends an interrupt shadow and notes it, if the part is valid.
func (c *vcpuMem) endShadow() {
	c.stepped = 0
	if c.regs[regInterruptibility]&shadowBits != 0 {
		c.regs[regInterruptibility] &^= shadowBits
		c.changed(partInterrupt)
	}
}
