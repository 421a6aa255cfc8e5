package entry

import "ringo/x86/asm"

// Image makes the bootable file around p.
func Image(p Payload) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	l := newLayout(p)
	blob, err := APTrampoline()
	if err != nil {
		return nil, err
	}
	setupCode, version, err := assemble(setup(), "version")
	if err != nil {
		return nil, err
	}
	headCode, info, err := assemble(head(p, l, blob), "kernel_info")
	if err != nil {
		return nil, err
	}
	image := make([]byte, len(setupCode)+int(l.fileEnd))
	copy(image, setupCode)
	copy(image[len(setupCode):], headCode)
	copy(image[len(setupCode)+headSize:], p.Data)
	if err := newHeader(p, l, len(setupCode), version, info).put(image); err != nil {
		return nil, err
	}
	return image, nil
}

// assemble returns the code and the address of one of its labels.
func assemble(a *asm.Asm, label string) (code []byte, address uint64, err error) {
	if code, err = a.Bytes(); err != nil {
		return nil, 0, err
	}
	address, err = a.Address(label)
	return code, address, err
}
