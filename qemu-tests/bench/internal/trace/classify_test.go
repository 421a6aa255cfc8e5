package trace

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		code string
		want Class
	}{
		{"0f01d8", ClassVMRUN}, {"0f01c2", ClassVMRUN}, {"0f01c3", ClassVMRUN},
		{"0f01da", ClassVMLOAD}, {"0f01db", ClassVMSAVE}, {"0f01dc", ClassGIF}, {"0f01dd", ClassGIF},
		{"0f78c8", ClassVMREAD}, {"0f79c8", ClassVMWRITE},
		{"0f32", ClassRDMSR}, {"0f30", ClassWRMSR},
		{"480fae21", ClassXSAVE},    // XSAVE64 [RCX]
		{"480fae2f", ClassXSAVE},    // XRSTOR64 [RDI]
		{"480fae07", ClassXSAVE},    // FXSAVE64 [RDI]
		{"480fc727", ClassXSAVE},    // XSAVEC64 [RDI]
		{"0faef0", ClassPlain},      // MFENCE
		{"0fae1424", ClassPlain},    // LDMXCSR [RSP]
		{"0f01d0", ClassXCR},        // XGETBV
		{"0f22d8", ClassCR},         // MOV CR3, RAX
		{"0f20d8", ClassPlain},      // MOV RAX, CR3
		{"440f22c0", ClassCR},       // MOV CR8, RAX
		{"0f23f8", ClassDR},         // MOV DR7, RAX
		{"0f0138", ClassFlush},      // INVLPG [RAX]
		{"0f01df", ClassFlush},      // INVLPGA
		{"660f388201", ClassFlush},  // INVPCID
		{"0f09", ClassFlush},        // WBINVD
		{"0f0110", ClassPlain},      // LGDT [RAX]
		{"f0480fb10a", ClassLock},   // LOCK CMPXCHG [RDX], RCX
		{"f083442400ff", ClassLock}, // LOCK ADD
		{"64f00fc108", ClassLock},   // FS LOCK XADD
		{"8703", ClassLock},         // XCHG [RBX], EAX
		{"87c3", ClassPlain},        // XCHG EBX, EAX
		{"ec", ClassPort}, {"66ef", ClassPort}, {"e460", ClassPort},
		{"0fa2", ClassCPUID}, {"0f31", ClassRDTSC}, {"0f01f9", ClassRDTSC},
		{"48cf", ClassIRET}, {"0f05", ClassSyscall},
		{"4889542408", ClassPlain}, {"0fb6c0", ClassPlain}, {"0f", ClassPlain}, {"66", ClassPlain}, {"", ClassPlain},
	} {
		code, err := hex.DecodeString(c.code)
		require.NoError(t, err)
		require.Equal(t, c.want, classify(code), c.code)
	}
}

func TestClassNames(t *testing.T) {
	seen := map[string]bool{}
	for c := range NumClasses {
		require.NotEmpty(t, c.String())
		require.False(t, seen[c.String()], c.String())
		seen[c.String()] = true
	}
	require.Equal(t, "no class", NumClasses.String())
}
