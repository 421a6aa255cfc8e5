package svm

// VMCB clean bits (APM volume 2, section 15.15.3 "VMCB Clean Field"): a set
// bit promises that the fields of its group have not changed since the last
// #VMEXIT of this VMCB on this CPU.
const (
	CleanI    = 1 << 0  // intercepts, TSC offset, pause filter
	CleanIOPM = 1 << 1  // IOPM_BASE_PA, MSRPM_BASE_PA
	CleanASID = 1 << 2  // ASID
	CleanTPR  = 1 << 3  // V_TPR, V_IRQ, V_INTR_PRIO, V_IGN_TPR, V_INTR_MASKING, V_INTR_VECTOR
	CleanNP   = 1 << 4  // N_CR3, G_PAT, NP_ENABLE
	CleanCRx  = 1 << 5  // CR0, CR3, CR4, EFER
	CleanDRx  = 1 << 6  // DR6, DR7
	CleanDT   = 1 << 7  // GDT, IDT
	CleanSEG  = 1 << 8  // CS, DS, SS, ES, CPL
	CleanCR2  = 1 << 9  // CR2
	CleanLBR  = 1 << 10 // DBGCTL, BR_FROM, BR_TO, LASTEXCP_*
	CleanAVIC = 1 << 11
	CleanCET  = 1 << 12

	cleanAll = 1<<13 - 1
)

// dirty takes back the promise for some groups. It is right on processors
// without clean bits too, which ignore the field.
func (c *ControlArea) dirty(groups uint32) { c.Clean &^= groups }
