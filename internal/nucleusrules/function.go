package nucleusrules

// Function is what Check knows of one function. Stack depths are in bytes,
// counted from the stack pointer at its first instruction, where the return
// address is on the stack already.
type Function struct {
	Name  string
	Calls []Call
	// Refs are functions whose addresses it takes, closures that it makes
	// among them. Whoever takes an address is taken to lead to the function.
	Refs []string
	// Faults are rules that its own instructions break.
	Faults []Fault
	// Own is the deepest that it pushes itself, on the stack on which it was
	// entered; Other on a stack to which it switched.
	Own, Other int
}

// Call is one call or tail call.
type Call struct {
	To string // "" for an indirect call
	// Through is the func variable that an indirect call goes through, ""
	// if that is not known.
	Through string
	// Depth is the stack in use at the callee's first instruction, its return
	// address included.
	Depth int
	// Other says that the caller has switched to another stack.
	Other bool
	// Site is the address of the instruction.
	Site uint64
}

// Fault is a broken rule in a function's own instructions.
type Fault struct {
	Rule Rule
	What string
}

// Source gives functions by name. An error is ErrNoFunction or one that says
// why the code cannot be read.
type Source interface {
	Function(name string) (*Function, error)
}
