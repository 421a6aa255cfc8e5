package trace

// Class is a kind of instruction that costs more than its one tick in an
// emulator.
type Class uint8

// Classes. ClassPlain is all the rest.
const (
	ClassPlain   Class = iota
	ClassVMRUN         // VMRUN; its VMX counterparts are VMLAUNCH and VMRESUME
	ClassVMLOAD        // VMLOAD
	ClassVMSAVE        // VMSAVE
	ClassGIF           // CLGI, STGI
	ClassVMREAD        // VMREAD
	ClassVMWRITE       // VMWRITE
	ClassRDMSR         // RDMSR
	ClassWRMSR         // WRMSR
	ClassXSAVE         // XSAVE, XRSTOR and their variants, FXSAVE, FXRSTOR
	ClassXCR           // XGETBV, XSETBV
	ClassCR            // MOV to CRn
	ClassDR            // MOV to DRn
	ClassFlush         // INVLPG, INVLPGA, INVPCID, INVEPT, INVVPID, INVD, WBINVD
	ClassLock          // LOCK prefix, XCHG with memory
	ClassPort          // IN, OUT
	ClassCPUID         // CPUID
	ClassRDTSC         // RDTSC
	ClassIRET          // IRET
	ClassSyscall       // SYSCALL
	NumClasses
)

var classNames = [NumClasses]string{
	"plain", "vmrun", "vmload", "vmsave", "clgi-stgi", "vmread", "vmwrite", "rdmsr", "wrmsr", "xsave", "xcr", "cr-write",
	"dr-write", "flush", "lock", "port", "cpuid", "rdtsc", "iret", "syscall",
}

// String is the class's name in the report.
func (c Class) String() string {
	if c < NumClasses {
		return classNames[c]
	}
	return "no class"
}

// oneByte are the classes of opcodes of one byte.
var oneByte = map[byte]Class{
	0xcf: ClassIRET,
	0xe4: ClassPort, 0xe5: ClassPort, 0xe6: ClassPort, 0xe7: ClassPort,
	0xec: ClassPort, 0xed: ClassPort, 0xee: ClassPort, 0xef: ClassPort,
	0x6c: ClassPort, 0x6d: ClassPort, 0x6e: ClassPort, 0x6f: ClassPort,
}

// twoByte are the classes of opcodes after 0F that need no look at ModRM.
var twoByte = map[byte]Class{
	0x05: ClassSyscall, 0x08: ClassFlush, 0x09: ClassFlush, 0x22: ClassCR, 0x23: ClassDR,
	0x30: ClassWRMSR, 0x31: ClassRDTSC, 0x32: ClassRDMSR, 0x78: ClassVMREAD, 0x79: ClassVMWRITE, 0xa2: ClassCPUID,
}

// group7 are the register forms of 0F 01, by ModRM.
var group7 = map[byte]Class{
	0xc2: ClassVMRUN, 0xc3: ClassVMRUN, 0xd0: ClassXCR, 0xd1: ClassXCR, 0xd8: ClassVMRUN, 0xda: ClassVMLOAD,
	0xdb: ClassVMSAVE, 0xdc: ClassGIF, 0xdd: ClassGIF, 0xdf: ClassFlush, 0xf9: ClassRDTSC,
}

// classify gives the class of the 64-bit instruction that code begins with.
// Eight bytes are enough for every class. The LOCK prefix comes first: it is
// what such an instruction costs.
func classify(code []byte) Class {
	for len(code) > 0 {
		switch b := code[0]; {
		case b == 0xf0:
			return ClassLock
		case b == 0x66, b == 0x67, b == 0xf2, b == 0xf3, b == 0x2e, b == 0x36, b == 0x3e, b == 0x26, b == 0x64, b == 0x65, b&0xf0 == 0x40:
			code = code[1:]
			continue
		}
		break
	}
	opcode, modrm := at(code, 0), at(code, 1)
	switch {
	case opcode == 0x0f:
		return classify0F(at(code, 1), at(code, 2), at(code, 3))
	case (opcode == 0x86 || opcode == 0x87) && modrm < 0xc0:
		return ClassLock
	}
	return oneByte[opcode]
}

// classify0F looks at an opcode after 0F and the two bytes after it.
func classify0F(opcode, modrm, next byte) Class {
	reg, mem := modrm>>3&7, modrm < 0xc0
	switch {
	case opcode == 0x01 && mem && reg == 7:
		return ClassFlush // INVLPG
	case opcode == 0x01 && !mem:
		return group7[modrm]
	case opcode == 0x38 && modrm >= 0x80 && modrm <= 0x82 && next < 0xc0:
		return ClassFlush // INVEPT, INVVPID, INVPCID
	case opcode == 0xae && mem && (reg <= 1 || reg >= 4 && reg <= 6):
		return ClassXSAVE // FXSAVE, FXRSTOR, XSAVE, XRSTOR, XSAVEOPT
	case opcode == 0xc7 && mem && reg >= 3 && reg <= 5:
		return ClassXSAVE // XRSTORS, XSAVEC, XSAVES
	}
	return twoByte[opcode]
}

func at(code []byte, i int) byte {
	if i < len(code) {
		return code[i]
	}
	return 0
}
