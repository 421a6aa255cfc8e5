package memory

// noStage2 is the table of a VM that no processor runs.
type noStage2 struct{}

func (noStage2) Map(GPA, HPA, PageSize, Prot, Type) error { return nil }
func (noStage2) Unmap(GPA, uint64) error                  { return nil }
func (noStage2) Protect(GPA, uint64, Prot) error          { return nil }
func (noStage2) Lookup(GPA) (Mapping, bool)               { return Mapping{}, false }
func (noStage2) Generation() uint64                       { return 0 }
func (noStage2) Flush()                                   {}
func (noStage2) Root() HPA                                { return 0 }
func (noStage2) Tables() uint64                           { return 0 }
func (noStage2) Close() error                             { return nil }
