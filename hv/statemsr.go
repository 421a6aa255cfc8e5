package hv

import (
	"ringo/hv/msr"
	"ringo/x86"
)

// stateMSR is a register whose value is part of x86.State.
type stateMSR struct {
	number uint32
	group  x86.Groups
	field  func(*x86.State) *uint64
	valid  func(*cpu, uint64) bool // nil if every value is
}

// stateMSRs are in the order of the numbers. Backends pass most of these
// through; they are here for those that do not.
var stateMSRs = []stateMSR{
	{x86.MSRSysenterCS, x86.GroupSysenter, func(s *x86.State) *uint64 { return &s.SysenterCS }, nil},
	{x86.MSRSysenterESP, x86.GroupSysenter, func(s *x86.State) *uint64 { return &s.SysenterESP }, canonical},
	{x86.MSRSysenterEIP, x86.GroupSysenter, func(s *x86.State) *uint64 { return &s.SysenterEIP }, canonical},
	{x86.MSRDebugCtl, x86.GroupDR, func(s *x86.State) *uint64 { return &s.DebugCtl }, validDebugCtl},
	{x86.MSRPAT, x86.GroupMSR, func(s *x86.State) *uint64 { return &s.PAT }, validPAT},
	{x86.MSREFER, x86.GroupCR, func(s *x86.State) *uint64 { return &s.EFER }, nil},
	{x86.MSRSTAR, x86.GroupSyscall, func(s *x86.State) *uint64 { return &s.STAR }, nil},
	{x86.MSRLSTAR, x86.GroupSyscall, func(s *x86.State) *uint64 { return &s.LSTAR }, canonical},
	{x86.MSRCSTAR, x86.GroupSyscall, func(s *x86.State) *uint64 { return &s.CSTAR }, canonical},
	{x86.MSRSFMASK, x86.GroupSyscall, func(s *x86.State) *uint64 { return &s.SFMASK }, nil},
	{x86.MSRFSBase, x86.GroupSeg, func(s *x86.State) *uint64 { return &s.Seg[x86.FS].Base }, canonical},
	{x86.MSRGSBase, x86.GroupSeg, func(s *x86.State) *uint64 { return &s.Seg[x86.GS].Base }, canonical},
	{x86.MSRKernelGSBase, x86.GroupSyscall, func(s *x86.State) *uint64 { return &s.KernelGSBase }, canonical},
	{x86.MSRTSCAux, x86.GroupMSR, func(s *x86.State) *uint64 { return &s.TSCAux }, low32},
}

func findStateMSR(number uint32) *stateMSR {
	for i := range stateMSRs {
		if stateMSRs[i].number == number {
			return &stateMSRs[i]
		}
	}
	return nil
}

// canonical takes addresses of the width that the guest's processor has: with
// 5-level paging that is the larger one whatever CR4 says (SDM volume 3A,
// section 4.5.2).
func canonical(c *cpu, v uint64) bool { return x86.IsCanonical(v, c.board.linearBits()) }

func low32(_ *cpu, v uint64) bool { return v>>32 == 0 }

func validPAT(_ *cpu, v uint64) bool { return msr.ValidPAT(v) }

// validDebugCtl takes the bits that both vendors define (last branch,
// single-step on branches, and AMD's pin control).
func validDebugCtl(_ *cpu, v uint64) bool { return v>>6 == 0 }

// linearBits is the widest linear address of the guest's processor.
func (b *board) linearBits() uint {
	if b.cr4&x86.CR4LA57 != 0 {
		return x86.LinearBits5
	}
	return x86.LinearBits4
}
