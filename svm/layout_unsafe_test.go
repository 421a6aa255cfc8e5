package svm

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"ringo/x86"
)

func bytesAt(p unsafe.Pointer, n int) []byte { return unsafe.Slice((*byte)(p), n) }

// TestVMCBLayout checks the offsets of APM volume 2, appendix B.
func TestVMCBLayout(t *testing.T) {
	var v VMCB
	c, s := &v.Control, &v.Save
	off := func(p unsafe.Pointer) uintptr { return uintptr(p) - uintptr(unsafe.Pointer(&v)) }
	require.EqualValues(t, VMCBSize, unsafe.Sizeof(v))
	for name, x := range map[string]struct{ want, got uintptr }{
		"CR reads":      {0x000, off(unsafe.Pointer(&c.InterceptCRRead))},
		"CR writes":     {0x002, off(unsafe.Pointer(&c.InterceptCRWrite))},
		"DR reads":      {0x004, off(unsafe.Pointer(&c.InterceptDRRead))},
		"DR writes":     {0x006, off(unsafe.Pointer(&c.InterceptDRWrite))},
		"exceptions":    {0x008, off(unsafe.Pointer(&c.InterceptException))},
		"misc 1":        {0x00C, off(unsafe.Pointer(&c.InterceptMisc1))},
		"misc 2":        {0x010, off(unsafe.Pointer(&c.InterceptMisc2))},
		"misc 3":        {0x014, off(unsafe.Pointer(&c.InterceptMisc3))},
		"pause thresh":  {0x03C, off(unsafe.Pointer(&c.PauseFilterThresh))},
		"pause count":   {0x03E, off(unsafe.Pointer(&c.PauseFilterCount))},
		"IOPM":          {0x040, off(unsafe.Pointer(&c.IOPMBasePA))},
		"MSRPM":         {0x048, off(unsafe.Pointer(&c.MSRPMBasePA))},
		"TSC_OFFSET":    {0x050, off(unsafe.Pointer(&c.TSCOffset))},
		"ASID":          {0x058, off(unsafe.Pointer(&c.GuestASID))},
		"TLB_CONTROL":   {0x05C, off(unsafe.Pointer(&c.TLBControl))},
		"V_TPR":         {0x060, off(unsafe.Pointer(&c.VIntr))},
		"SHADOW":        {0x068, off(unsafe.Pointer(&c.InterruptShadow))},
		"EXITCODE":      {0x070, off(unsafe.Pointer(&c.ExitCode))},
		"EXITINFO1":     {0x078, off(unsafe.Pointer(&c.ExitInfo1))},
		"EXITINFO2":     {0x080, off(unsafe.Pointer(&c.ExitInfo2))},
		"EXITINTINFO":   {0x088, off(unsafe.Pointer(&c.ExitIntInfo))},
		"NP_ENABLE":     {0x090, off(unsafe.Pointer(&c.NestedControl))},
		"AVIC BAR":      {0x098, off(unsafe.Pointer(&c.AVICBar))},
		"GHCB":          {0x0A0, off(unsafe.Pointer(&c.GHCB))},
		"EVENTINJ":      {0x0A8, off(unsafe.Pointer(&c.EventInj))},
		"N_CR3":         {0x0B0, off(unsafe.Pointer(&c.NCR3))},
		"LBR":           {0x0B8, off(unsafe.Pointer(&c.LBRVirtualization))},
		"clean bits":    {0x0C0, off(unsafe.Pointer(&c.Clean))},
		"nRIP":          {0x0C8, off(unsafe.Pointer(&c.NRIP))},
		"bytes fetched": {0x0D0, off(unsafe.Pointer(&c.FetchedBytes))},
		"guest bytes":   {0x0D1, off(unsafe.Pointer(&c.GuestBytes))},
		"AVIC page":     {0x0E0, off(unsafe.Pointer(&c.AVICBackingPage))},
		"AVIC logical":  {0x0F0, off(unsafe.Pointer(&c.AVICLogicalTable))},
		"AVIC physical": {0x0F8, off(unsafe.Pointer(&c.AVICPhysicalTable))},
		"VMSA":          {0x108, off(unsafe.Pointer(&c.VMSAPointer))},
		"ES":            {0x400, off(unsafe.Pointer(&s.ES))},
		"CS":            {0x410, off(unsafe.Pointer(&s.CS))},
		"SS":            {0x420, off(unsafe.Pointer(&s.SS))},
		"DS":            {0x430, off(unsafe.Pointer(&s.DS))},
		"FS":            {0x440, off(unsafe.Pointer(&s.FS))},
		"GS":            {0x450, off(unsafe.Pointer(&s.GS))},
		"GDTR":          {0x460, off(unsafe.Pointer(&s.GDTR))},
		"LDTR":          {0x470, off(unsafe.Pointer(&s.LDTR))},
		"IDTR":          {0x480, off(unsafe.Pointer(&s.IDTR))},
		"TR":            {0x490, off(unsafe.Pointer(&s.TR))},
		"CPL":           {0x4CB, off(unsafe.Pointer(&s.CPL))},
		"EFER":          {0x4D0, off(unsafe.Pointer(&s.EFER))},
		"CR4":           {0x548, off(unsafe.Pointer(&s.CR4))},
		"CR3":           {0x550, off(unsafe.Pointer(&s.CR3))},
		"CR0":           {0x558, off(unsafe.Pointer(&s.CR0))},
		"DR7":           {0x560, off(unsafe.Pointer(&s.DR7))},
		"DR6":           {0x568, off(unsafe.Pointer(&s.DR6))},
		"RFLAGS":        {0x570, off(unsafe.Pointer(&s.RFLAGS))},
		"RIP":           {0x578, off(unsafe.Pointer(&s.RIP))},
		"RSP":           {0x5D8, off(unsafe.Pointer(&s.RSP))},
		"S_CET":         {0x5E0, off(unsafe.Pointer(&s.SCET))},
		"SSP":           {0x5E8, off(unsafe.Pointer(&s.SSP))},
		"ISST_ADDR":     {0x5F0, off(unsafe.Pointer(&s.ISSTAddr))},
		"RAX":           {0x5F8, off(unsafe.Pointer(&s.RAX))},
		"STAR":          {0x600, off(unsafe.Pointer(&s.STAR))},
		"LSTAR":         {0x608, off(unsafe.Pointer(&s.LSTAR))},
		"CSTAR":         {0x610, off(unsafe.Pointer(&s.CSTAR))},
		"SFMASK":        {0x618, off(unsafe.Pointer(&s.SFMASK))},
		"KernelGsBase":  {0x620, off(unsafe.Pointer(&s.KernelGSBase))},
		"SYSENTER_CS":   {0x628, off(unsafe.Pointer(&s.SysenterCS))},
		"SYSENTER_ESP":  {0x630, off(unsafe.Pointer(&s.SysenterESP))},
		"SYSENTER_EIP":  {0x638, off(unsafe.Pointer(&s.SysenterEIP))},
		"CR2":           {0x640, off(unsafe.Pointer(&s.CR2))},
		"G_PAT":         {0x668, off(unsafe.Pointer(&s.GPAT))},
		"DBGCTL":        {0x670, off(unsafe.Pointer(&s.DBGCTL))},
		"BR_FROM":       {0x678, off(unsafe.Pointer(&s.BRFrom))},
		"LASTEXCPTO":    {0x690, off(unsafe.Pointer(&s.LastExcpTo))},
		"SPEC_CTRL":     {0x6E0, off(unsafe.Pointer(&s.SpecCtrl))},
	} {
		require.Equal(t, x.want, x.got, name)
	}
}

// TestMemoryLayout checks what the stubs, the processor and the nucleus rely
// on in the memory of a vCPU.
func TestMemoryLayout(t *testing.T) {
	var c vcpuMem
	require.Zero(t, unsafe.Offsetof(c.guest), "the nucleus's record is first")
	require.LessOrEqual(t, unsafe.Sizeof(vcpuHead{}), uintptr(pageSize))
	require.Zero(t, unsafe.Offsetof(c.vmcb)%pageSize, "a VMCB is page-aligned")
	require.Zero(t, unsafe.Offsetof(c.xsave)%64, "XSAVE wants 64 bytes")
	require.Zero(t, unsafe.Offsetof(c.area)%pageSize, "the APIC page is page-aligned")
	require.EqualValues(t, unsafe.Offsetof(c.area)+unsafe.Offsetof(c.area.GPR), offsetGPR)
	require.LessOrEqual(t, vcpuBytes, uint64(32<<10), "more than 8 frames per vCPU")
	require.LessOrEqual(t, unsafe.Sizeof(perCPU{}), uintptr(8*perCPUWords))
	require.EqualValues(t, x86.XSAVESize, len(c.xsave))
}
