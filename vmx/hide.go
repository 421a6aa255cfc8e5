package vmx

// guestInstructions are the secondary controls without which instructions of
// the CPUID features named are #UD in a guest, whatever the host has.
var guestInstructions = [...]struct {
	control  uint32
	features []string
}{
	{SecondaryRDTSCP, []string{"rdtscp", "rdpid"}},
	{SecondaryINVPCID, []string{"invpcid"}},
	{SecondaryXSAVES, []string{"xsaves"}},
	{SecondaryUserWait, []string{"waitpkg"}},
}

// hidden names the CPUID features that guests do not have because their
// control is off.
func (p *processor) hidden() []string {
	var names []string
	for _, g := range guestInstructions {
		if !p.secondary(g.control) {
			names = append(names, g.features...)
		}
	}
	return names
}
