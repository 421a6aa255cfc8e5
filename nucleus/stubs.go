package nucleus

// Functions in assembly.

func entry()
func apEntry()
func syscallEntry()
func vectorStubs()

// resume continues a thread that was saved; it never returns.
func resume(t *Thread)

func haltForever()
func openWindow()
func haltWindow()
func pause()
func lgdt(limit uint16, base uintptr)
func lidt(limit uint16, base uintptr)
func ltr(sel uint16)

// Addresses of code.
func runtimeEntry() uintptr
func stubBase() uintptr
func syscallAddr() uintptr
func apEntryAddr() uintptr
