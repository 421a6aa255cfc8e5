package vcpu

// Namer is a further ability of a VCPU: it tells the manual's name of the code
// in Raw of an exit that its last Run gave, or what else there is to say about
// it; "" where Kind says all. Only reports ask, so Run does not have to.
type Namer interface {
	ExitName(*Exit) string
}

// NameOf is what v says of the exit, or its kind.
func NameOf(v VCPU, e *Exit) string {
	if n, ok := v.(Namer); ok {
		if name := n.ExitName(e); name != "" {
			return name
		}
	}
	return e.Kind.String()
}
