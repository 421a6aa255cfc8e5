package x86

// Bits of CPUID leaf 1 ECX (SDM volume 2A, table "Information Returned by CPUID Instruction").
const (
	CPUID1ECXSSE3        = 1 << 0
	CPUID1ECXPCLMULQDQ   = 1 << 1
	CPUID1ECXDTES64      = 1 << 2
	CPUID1ECXMONITOR     = 1 << 3
	CPUID1ECXDSCPL       = 1 << 4
	CPUID1ECXVMX         = 1 << 5
	CPUID1ECXSMX         = 1 << 6
	CPUID1ECXEIST        = 1 << 7
	CPUID1ECXTM2         = 1 << 8
	CPUID1ECXSSSE3       = 1 << 9
	CPUID1ECXCNXTID      = 1 << 10
	CPUID1ECXSDBG        = 1 << 11
	CPUID1ECXFMA         = 1 << 12
	CPUID1ECXCMPXCHG16B  = 1 << 13
	CPUID1ECXXTPR        = 1 << 14
	CPUID1ECXPDCM        = 1 << 15
	CPUID1ECXPCID        = 1 << 17
	CPUID1ECXDCA         = 1 << 18
	CPUID1ECXSSE41       = 1 << 19
	CPUID1ECXSSE42       = 1 << 20
	CPUID1ECXX2APIC      = 1 << 21
	CPUID1ECXMOVBE       = 1 << 22
	CPUID1ECXPOPCNT      = 1 << 23
	CPUID1ECXTSCDeadline = 1 << 24
	CPUID1ECXAES         = 1 << 25
	CPUID1ECXXSAVE       = 1 << 26
	CPUID1ECXOSXSAVE     = 1 << 27
	CPUID1ECXAVX         = 1 << 28
	CPUID1ECXF16C        = 1 << 29
	CPUID1ECXRDRAND      = 1 << 30
	CPUID1ECXHypervisor  = 1 << 31
)

// Bits of CPUID leaf 1 EDX (SDM volume 2A, table "Information Returned by CPUID Instruction").
const (
	CPUID1EDXFPU   = 1 << 0
	CPUID1EDXVME   = 1 << 1
	CPUID1EDXDE    = 1 << 2
	CPUID1EDXPSE   = 1 << 3
	CPUID1EDXTSC   = 1 << 4
	CPUID1EDXMSR   = 1 << 5
	CPUID1EDXPAE   = 1 << 6
	CPUID1EDXMCE   = 1 << 7
	CPUID1EDXCX8   = 1 << 8
	CPUID1EDXAPIC  = 1 << 9
	CPUID1EDXSEP   = 1 << 11
	CPUID1EDXMTRR  = 1 << 12
	CPUID1EDXPGE   = 1 << 13
	CPUID1EDXMCA   = 1 << 14
	CPUID1EDXCMOV  = 1 << 15
	CPUID1EDXPAT   = 1 << 16
	CPUID1EDXPSE36 = 1 << 17
	CPUID1EDXPSN   = 1 << 18
	CPUID1EDXCLFSH = 1 << 19
	CPUID1EDXDS    = 1 << 21
	CPUID1EDXACPI  = 1 << 22
	CPUID1EDXMMX   = 1 << 23
	CPUID1EDXFXSR  = 1 << 24
	CPUID1EDXSSE   = 1 << 25
	CPUID1EDXSSE2  = 1 << 26
	CPUID1EDXSS    = 1 << 27
	CPUID1EDXHTT   = 1 << 28
	CPUID1EDXTM    = 1 << 29
	CPUID1EDXPBE   = 1 << 31
)

// Bits of CPUID leaf 6 EAX (SDM volume 2A, table "Information Returned by CPUID Instruction").
const (
	CPUID6EAXDTHERM = 1 << 0
	CPUID6EAXIDA    = 1 << 1
	CPUID6EAXARAT   = 1 << 2
	CPUID6EAXPLN    = 1 << 4
	CPUID6EAXPTS    = 1 << 6
	CPUID6EAXHWP    = 1 << 7
)

// Bits of CPUID leaf 7 subleaf 0 EBX (SDM volume 2A, table "Information Returned by CPUID Instruction").
const (
	CPUID7EBXFSGSBASE      = 1 << 0
	CPUID7EBXTSCAdjust     = 1 << 1
	CPUID7EBXSGX           = 1 << 2
	CPUID7EBXBMI1          = 1 << 3
	CPUID7EBXHLE           = 1 << 4
	CPUID7EBXAVX2          = 1 << 5
	CPUID7EBXFDPExcptnOnly = 1 << 6
	CPUID7EBXSMEP          = 1 << 7
	CPUID7EBXBMI2          = 1 << 8
	CPUID7EBXERMS          = 1 << 9
	CPUID7EBXINVPCID       = 1 << 10
	CPUID7EBXRTM           = 1 << 11
	CPUID7EBXRDTM          = 1 << 12
	CPUID7EBXZeroFCSFDS    = 1 << 13
	CPUID7EBXMPX           = 1 << 14
	CPUID7EBXRDTA          = 1 << 15
	CPUID7EBXAVX512F       = 1 << 16
	CPUID7EBXAVX512DQ      = 1 << 17
	CPUID7EBXRDSEED        = 1 << 18
	CPUID7EBXADX           = 1 << 19
	CPUID7EBXSMAP          = 1 << 20
	CPUID7EBXAVX512IFMA    = 1 << 21
	CPUID7EBXCLFLUSHOPT    = 1 << 23
	CPUID7EBXCLWB          = 1 << 24
	CPUID7EBXPT            = 1 << 25
	CPUID7EBXAVX512PF      = 1 << 26
	CPUID7EBXAVX512ER      = 1 << 27
	CPUID7EBXAVX512CD      = 1 << 28
	CPUID7EBXSHA           = 1 << 29
	CPUID7EBXAVX512BW      = 1 << 30
	CPUID7EBXAVX512VL      = 1 << 31
)

// Bits of CPUID leaf 7 subleaf 0 ECX (SDM volume 2A, table "Information Returned by CPUID Instruction").
const (
	CPUID7ECXPREFETCHWT1     = 1 << 0
	CPUID7ECXAVX512VBMI      = 1 << 1
	CPUID7ECXUMIP            = 1 << 2
	CPUID7ECXPKU             = 1 << 3
	CPUID7ECXOSPKE           = 1 << 4
	CPUID7ECXWAITPKG         = 1 << 5
	CPUID7ECXAVX512VBMI2     = 1 << 6
	CPUID7ECXCETSS           = 1 << 7
	CPUID7ECXGFNI            = 1 << 8
	CPUID7ECXVAES            = 1 << 9
	CPUID7ECXVPCLMULQDQ      = 1 << 10
	CPUID7ECXAVX512VNNI      = 1 << 11
	CPUID7ECXAVX512BITALG    = 1 << 12
	CPUID7ECXTME             = 1 << 13
	CPUID7ECXAVX512VPOPCNTDQ = 1 << 14
	CPUID7ECXLA57            = 1 << 16
	CPUID7ECXRDPID           = 1 << 22
	CPUID7ECXKL              = 1 << 23
	CPUID7ECXBusLockDetect   = 1 << 24
	CPUID7ECXCLDEMOTE        = 1 << 25
	CPUID7ECXMOVDIRI         = 1 << 27
	CPUID7ECXMOVDIR64B       = 1 << 28
	CPUID7ECXENQCMD          = 1 << 29
	CPUID7ECXSGXLC           = 1 << 30
	CPUID7ECXPKS             = 1 << 31
)

// Bits of CPUID leaf 7 subleaf 0 EDX (SDM volume 2A, table "Information Returned by CPUID Instruction").
const (
	CPUID7EDXAVX5124VNNIW       = 1 << 2
	CPUID7EDXAVX5124FMAPS       = 1 << 3
	CPUID7EDXFSRM               = 1 << 4
	CPUID7EDXUINTR              = 1 << 5
	CPUID7EDXAVX512VP2INTERSECT = 1 << 8
	CPUID7EDXSRBDSCtrl          = 1 << 9
	CPUID7EDXMDClear            = 1 << 10
	CPUID7EDXRTMAlwaysAbort     = 1 << 11
	CPUID7EDXTSXForceAbort      = 1 << 13
	CPUID7EDXSERIALIZE          = 1 << 14
	CPUID7EDXHybrid             = 1 << 15
	CPUID7EDXTSXLDTRK           = 1 << 16
	CPUID7EDXPCONFIG            = 1 << 18
	CPUID7EDXArchLBR            = 1 << 19
	CPUID7EDXCETIBT             = 1 << 20
	CPUID7EDXAMXBF16            = 1 << 22
	CPUID7EDXAVX512FP16         = 1 << 23
	CPUID7EDXAMXTile            = 1 << 24
	CPUID7EDXAMXInt8            = 1 << 25
	CPUID7EDXSpecCtrl           = 1 << 26
	CPUID7EDXSTIBP              = 1 << 27
	CPUID7EDXL1DFlush           = 1 << 28
	CPUID7EDXArchCapabilities   = 1 << 29
	CPUID7EDXCoreCapabilities   = 1 << 30
	CPUID7EDXSSBD               = 1 << 31
)

// Bits of CPUID leaf 7 subleaf 1 EAX (SDM volume 2A, table "Information Returned by CPUID Instruction").
const (
	CPUID7S1EAXRAOINT     = 1 << 3
	CPUID7S1EAXAVXVNNI    = 1 << 4
	CPUID7S1EAXAVX512BF16 = 1 << 5
	CPUID7S1EAXCMPCCXADD  = 1 << 7
	CPUID7S1EAXFZRM       = 1 << 10
	CPUID7S1EAXFSRS       = 1 << 11
	CPUID7S1EAXFSRC       = 1 << 12
	CPUID7S1EAXFRED       = 1 << 17
	CPUID7S1EAXLKGS       = 1 << 18
	CPUID7S1EAXWRMSRNS    = 1 << 19
	CPUID7S1EAXAMXFP16    = 1 << 21
	CPUID7S1EAXHRESET     = 1 << 22
	CPUID7S1EAXAVXIFMA    = 1 << 23
	CPUID7S1EAXLAM        = 1 << 26
)

// Bits of CPUID leaf 0DH subleaf 1 EAX (SDM volume 2A, table "Information Returned by CPUID Instruction").
const (
	CPUIDDS1EAXXSAVEOPT = 1 << 0
	CPUIDDS1EAXXSAVEC   = 1 << 1
	CPUIDDS1EAXXGETBV1  = 1 << 2
	CPUIDDS1EAXXSAVES   = 1 << 3
	CPUIDDS1EAXXFD      = 1 << 4
)
