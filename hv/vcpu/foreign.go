package vcpu

// Foreign is a VM that can carry a guest which expects the other vendor's
// processor. Where the processors differ in what raises #UD (SYSENTER in long
// mode, SYSCALL in compatibility mode, VMCALL and VMMCALL), the owner of the
// vCPU has to stand in.
type Foreign interface {
	// ActForeign is called before the first NewVCPU. It makes #UD leave the
	// guest as KindException, and keeps all 64 bits of SYSENTER_ESP and
	// SYSENTER_EIP even where the processor has 32.
	ActForeign()
}
