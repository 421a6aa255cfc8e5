package x86

// LongMode tells whether IA-32e mode is active (64-bit or compatibility).
func (s *State) LongMode() bool { return s.EFER&EFERLMA != 0 }

// Mode64 tells whether the processor executes 64-bit code.
func (s *State) Mode64() bool { return s.EFER&EFERLMA != 0 && s.Seg[CS].Attr&AttrL != 0 }

// Virtual8086 tells whether the processor is in virtual-8086 mode.
func (s *State) Virtual8086() bool {
	return s.CR0&CR0PE != 0 && s.EFER&EFERLMA == 0 && s.RFLAGS&FlagVM != 0
}

// LinearBits is the width of a canonical linear address in this mode of
// paging.
func (s *State) LinearBits() uint {
	if s.CR4&CR4LA57 != 0 {
		return LinearBits5
	}
	return LinearBits4
}
