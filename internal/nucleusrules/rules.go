package nucleusrules

// Root is where the walk begins: code that something else than a Go call
// enters, such as the target of an interrupt gate.
type Root struct {
	Name string
	// Early says that it runs once, before the first guest and before the Go
	// runtime, when no vector state has to be kept.
	Early bool
	// Stack is the size in bytes of the stack on which it is entered, less
	// the guard, and Used what is on it already. Zero stands for a stack that
	// it leaves at once.
	Stack, Used int
	// Other is the size, less the guard, of the stack that it switches to.
	Other int
}

// Rules is what the walk has to be told.
type Rules struct {
	Roots []Root
	// Ends are functions that stop the machine, or leave the nucleus: they
	// are reached but not judged.
	Ends []string
	// Leaves are functions that jump to where no Go call leads: into a
	// thread. Their indirect jumps are right.
	Leaves []string
	// Variables are the func variables that are called, and all functions
	// that each may hold.
	Variables map[string][]string
	// Parameters are functions that call or pass on what they were given, as
	// a parameter or in a captured variable: any function whose address is
	// taken by one that calls them or makes them.
	Parameters []string
	// Extended are functions that handle x87 or XSAVE state on purpose.
	Extended []string
	// Patched is stack in bytes that code written into a function at boot
	// may use beyond what the image shows.
	Patched map[string]int
}
