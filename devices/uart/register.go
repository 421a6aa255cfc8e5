package uart

// Clock is the baud rate at divisor 1.
const Clock = 115200

// Registers by offset; some share one, by direction or by DLAB.
const (
	regData = 0 // RBR, THR; DLL with DLAB
	regIER  = 1 // DLM with DLAB
	regIIR  = 2 // FCR on write
	regLCR  = 3
	regMCR  = 4
	regLSR  = 5
	regMSR  = 6
	regSCR  = 7
	numRegs = 8
)

// Interrupt enable register.
const (
	ierData   = 1 << 0
	ierTHRE   = 1 << 1
	ierLine   = 1 << 2
	ierModem  = 1 << 3
	ierMask   = 0x0F
	lcrDLAB   = 1 << 7
	fcrEnable = 1 << 0
	fcrClrRX  = 1 << 1
	fcrClrTX  = 1 << 2
)

// Interrupt identification register, in order of priority.
const (
	iirNone    = 0x01
	iirLine    = 0x06
	iirData    = 0x04
	iirTimeout = 0x0C
	iirTHRE    = 0x02
	iirModem   = 0x00
	iirFIFO    = 0xC0
)

// Modem control register.
const (
	mcrDTR  = 1 << 0
	mcrRTS  = 1 << 1
	mcrOUT1 = 1 << 2
	mcrOUT2 = 1 << 3 // gates the interrupt on a PC
	mcrLoop = 1 << 4
	mcrMask = 0x1F
)

// Line status register.
const (
	lsrData    = 1 << 0
	lsrOverrun = 1 << 1
	lsrBreak   = 1 << 4
	lsrTHRE    = 1 << 5
	lsrTEMT    = 1 << 6
	lsrErrors  = 0x1E
)

// Modem status register: changes in bits 3:0, levels in 7:4.
const (
	msrDCTS   = 1 << 0
	msrDDSR   = 1 << 1
	msrTERI   = 1 << 2
	msrDDCD   = 1 << 3
	msrCTS    = 1 << 4
	msrDSR    = 1 << 5
	msrRI     = 1 << 6
	msrDCD    = 1 << 7
	msrDeltas = 0x0F
	msrLevels = 0xF0
)

// fifoSize is the receive FIFO's size; the transmit FIFO is always empty.
const fifoSize = 16

// triggers are the receive trigger levels of FCR bits 7:6.
var triggers = [4]int{1, 4, 8, 14}
