package x86

// Bits of CPUID leaf 8000_0001H ECX (APM volume 3, appendix E "Obtaining Processor Information Via the CPUID Instruction").
const (
	CPUID80000001ECXLAHF               = 1 << 0
	CPUID80000001ECXCmpLegacy          = 1 << 1
	CPUID80000001ECXSVM                = 1 << 2
	CPUID80000001ECXExtApicSpace       = 1 << 3
	CPUID80000001ECXAltMovCr8          = 1 << 4
	CPUID80000001ECXABM                = 1 << 5
	CPUID80000001ECXSSE4A              = 1 << 6
	CPUID80000001ECXMisAlignSse        = 1 << 7
	CPUID80000001ECXPREFETCHW          = 1 << 8
	CPUID80000001ECXOSVW               = 1 << 9
	CPUID80000001ECXIBS                = 1 << 10
	CPUID80000001ECXXOP                = 1 << 11
	CPUID80000001ECXSKINIT             = 1 << 12
	CPUID80000001ECXWDT                = 1 << 13
	CPUID80000001ECXLWP                = 1 << 15
	CPUID80000001ECXFMA4               = 1 << 16
	CPUID80000001ECXTCE                = 1 << 17
	CPUID80000001ECXTBM                = 1 << 21
	CPUID80000001ECXTopologyExtensions = 1 << 22
	CPUID80000001ECXPerfCtrExtCore     = 1 << 23
	CPUID80000001ECXPerfCtrExtNB       = 1 << 24
	CPUID80000001ECXDataBkptExt        = 1 << 26
	CPUID80000001ECXPerfTsc            = 1 << 27
	CPUID80000001ECXPerfCtrExtLLC      = 1 << 28
	CPUID80000001ECXMONITORX           = 1 << 29
	CPUID80000001ECXAddrMaskExt        = 1 << 30
)

// Bits of CPUID leaf 8000_0001H EDX: those that do not repeat leaf 1 (APM volume 3, appendix E "Obtaining Processor Information Via the CPUID Instruction").
const (
	CPUID80000001EDXSYSCALL      = 1 << 11
	CPUID80000001EDXNX           = 1 << 20
	CPUID80000001EDXMmxExt       = 1 << 22
	CPUID80000001EDXFFXSR        = 1 << 25
	CPUID80000001EDXPage1GB      = 1 << 26
	CPUID80000001EDXRDTSCP       = 1 << 27
	CPUID80000001EDXLM           = 1 << 29
	CPUID80000001EDXThreeDNowExt = 1 << 30
	CPUID80000001EDXThreeDNow    = 1 << 31
)

// Bits of CPUID leaf 8000_0007H EDX (APM volume 3, appendix E "Obtaining Processor Information Via the CPUID Instruction").
const (
	CPUID80000007EDXInvariantTSC = 1 << 8
	CPUID80000007EDXCPB          = 1 << 9
	CPUID80000007EDXEffFreqRO    = 1 << 10
)

// Bits of CPUID leaf 8000_0008H EBX (APM volume 3, appendix E "Obtaining Processor Information Via the CPUID Instruction").
const (
	CPUID80000008EBXCLZERO               = 1 << 0
	CPUID80000008EBXInstRetCnt           = 1 << 1
	CPUID80000008EBXRstrFpErrPtrs        = 1 << 2
	CPUID80000008EBXINVLPGB              = 1 << 3
	CPUID80000008EBXRDPRU                = 1 << 4
	CPUID80000008EBXMCOMMIT              = 1 << 8
	CPUID80000008EBXWBNOINVD             = 1 << 9
	CPUID80000008EBXIBPB                 = 1 << 12
	CPUID80000008EBXIntWbinvd            = 1 << 13
	CPUID80000008EBXIBRS                 = 1 << 14
	CPUID80000008EBXSTIBP                = 1 << 15
	CPUID80000008EBXIBRSAlways           = 1 << 16
	CPUID80000008EBXSTIBPAlways          = 1 << 17
	CPUID80000008EBXIBRSPreferred        = 1 << 18
	CPUID80000008EBXIBRSSameMode         = 1 << 19
	CPUID80000008EBXEFERLMSLEUnsupported = 1 << 20
	CPUID80000008EBXPPIN                 = 1 << 23
	CPUID80000008EBXSSBD                 = 1 << 24
	CPUID80000008EBXVirtSSBD             = 1 << 25
	CPUID80000008EBXSSBNo                = 1 << 26
	CPUID80000008EBXCPPC                 = 1 << 27
	CPUID80000008EBXPSFD                 = 1 << 28
	CPUID80000008EBXBTCNo                = 1 << 29
	CPUID80000008EBXIBPBRet              = 1 << 30
)

// Bits of CPUID leaf 8000_000AH EDX (APM volume 3, appendix E "Obtaining Processor Information Via the CPUID Instruction").
const (
	CPUID8000000AEDXNP                   = 1 << 0
	CPUID8000000AEDXLbrVirt              = 1 << 1
	CPUID8000000AEDXSVML                 = 1 << 2
	CPUID8000000AEDXNRIPS                = 1 << 3
	CPUID8000000AEDXTscRateMsr           = 1 << 4
	CPUID8000000AEDXVmcbClean            = 1 << 5
	CPUID8000000AEDXFlushByAsid          = 1 << 6
	CPUID8000000AEDXDecodeAssists        = 1 << 7
	CPUID8000000AEDXPmcVirt              = 1 << 8
	CPUID8000000AEDXPauseFilter          = 1 << 10
	CPUID8000000AEDXPauseFilterThreshold = 1 << 12
	CPUID8000000AEDXAVIC                 = 1 << 13
	CPUID8000000AEDXVMSAVEvirt           = 1 << 15
	CPUID8000000AEDXVGIF                 = 1 << 16
	CPUID8000000AEDXGMET                 = 1 << 17
	CPUID8000000AEDXX2AVIC               = 1 << 18
	CPUID8000000AEDXSSSCheck             = 1 << 19
	CPUID8000000AEDXSpecCtrlVirt         = 1 << 20
	CPUID8000000AEDXROGPT                = 1 << 21
	CPUID8000000AEDXHOSTMCEOverride      = 1 << 23
	CPUID8000000AEDXTlbiCtl              = 1 << 24
	CPUID8000000AEDXVNMI                 = 1 << 25
	CPUID8000000AEDXIbsVirt              = 1 << 26
	CPUID8000000AEDXIdleHltIntercept     = 1 << 28
)

// Bits of CPUID leaf 8000_0021H EAX (APM volume 3, appendix E "Obtaining Processor Information Via the CPUID Instruction").
const (
	CPUID80000021EAXNoNestedDataBp                 = 1 << 0
	CPUID80000021EAXFsGsKernelGsBaseNonSerializing = 1 << 1
	CPUID80000021EAXLfenceAlwaysSerializing        = 1 << 2
	CPUID80000021EAXNullSelectClearsBase           = 1 << 6
	CPUID80000021EAXUpperAddressIgnore             = 1 << 7
	CPUID80000021EAXAutomaticIBRS                  = 1 << 8
	CPUID80000021EAXCpuidUserDis                   = 1 << 17
	CPUID80000021EAXSBPB                           = 1 << 27
	CPUID80000021EAXIBPBBrType                     = 1 << 28
	CPUID80000021EAXSRSONo                         = 1 << 29
)
