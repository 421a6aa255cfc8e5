package reg

import "unsafe"

// ReadMSR and WriteMSR access a model-specific register; one that the
// processor does not have is a general-protection fault.
func ReadMSR(msr uint32) uint64
func WriteMSR(msr uint32, v uint64)

// CPUID executes the instruction with EAX=leaf and ECX=sub.
func CPUID(leaf, sub uint32) (eax, ebx, ecx, edx uint32)

// ReadTSC reads the time stamp counter after all earlier loads.
func ReadTSC() uint64

// Control registers.
func ReadCR0() uint64
func ReadCR2() uint64
func ReadCR3() uint64
func ReadCR4() uint64
func WriteCR0(v uint64)
func WriteCR3(v uint64)
func WriteCR4(v uint64)

// XGETBV and XSETBV access an extended control register; XCR0 is number 0.
func XGETBV(i uint32) uint64
func XSETBV(i uint32, v uint64)

// INVLPG forgets the translation of one page on this CPU, global or not.
func INVLPG(addr uintptr)

// Port I/O, by width in bits.
func In8(port uint16) uint8
func In16(port uint16) uint16
func In32(port uint16) uint32
func Out8(port uint16, v uint8)
func Out16(port uint16, v uint16)
func Out32(port uint16, v uint32)

// Load32 and Store32 access a device register in one aligned access.
func Load32(p unsafe.Pointer) uint32
func Store32(p unsafe.Pointer, v uint32)

// RDRAND and RDSEED return a hardware random number; ok is false when the
// processor had none ready. The caller has checked CPUID.
func RDRAND() (v uint64, ok bool)
func RDSEED() (v uint64, ok bool)

// ClearPage fills n bytes at p with zero; n is a multiple of 8.
func ClearPage(p uintptr, n uintptr)

// Copy moves n bytes from src to dst, which do not overlap. It uses no vector
// register.
func Copy(dst, src, n uintptr)
