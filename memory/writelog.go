package memory

// startWriteLog has the processor note writes, if it can, for the first log
// that runs; endWriteLog ends it after the last. logsMu is held.
func (s *Space) startWriteLog() {
	if s.writes != nil {
		s.writes.LogWrites(func(g GPA) { s.mark(g, uint64(Page4K)) })
	}
}

func (s *Space) endWriteLog() {
	if s.writes != nil {
		s.writes.LogWrites(nil)
	}
}

// collectWrites marks what the processor has noted.
func (s *Space) collectWrites() {
	if s.writes != nil {
		s.writes.Collect()
	}
}

// expectWrites makes the next write of each page in [g, g+n), which the guest
// may write, known to the logs: the processor notes it, or it faults. It takes
// effect with the next flush.
func (s *Space) expectWrites(sl *slot, g GPA, n uint64) error {
	if s.writes != nil {
		return s.writes.Clean(g, n)
	}
	return s.stage2.Protect(g, n, sl.prot()&^Write)
}
