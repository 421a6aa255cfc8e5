package main

// Row is one line of the report.
type Row struct {
	Name  string   `json:"name"`
	Unit  string   `json:"unit"`
	Value float64  `json:"value"`
	Must  *float64 `json:"must,omitempty"`  // at most this much is allowed
	Aim   *float64 `json:"aim,omitempty"`   // at most this much is hoped for
	Peer  *float64 `json:"peer,omitempty"`  // KVM, not measured in this run
	Ratio *float64 `json:"ratio,omitempty"` // Value/Peer
	// Missed says that Value is above Must; Problem why there is no Value.
	Missed  bool   `json:"missed"`
	Problem string `json:"problem,omitempty"`
}

// Units.
const (
	unitTicks   = "ticks"
	unitMTicks  = "M ticks"
	unitCount   = ""
	unitPercent = "%"
	unitMillis  = "ms"
	unitMiB     = "MiB"
	unitKiB     = "KiB"
)

// newRow is a row that is not held against anything yet.
func newRow(name, unit string, value float64) Row {
	return Row{Name: name, Unit: unit, Value: value}
}

// withAim gives a row an aim that depends on another measurement.
func (r Row) withAim(aim float64) Row {
	r.Aim = &aim
	return r
}

// failed are rows that could not be measured, for one reason.
func failed(err error, names ...string) []Row {
	rows := make([]Row, len(names))
	for i, name := range names {
		rows[i] = Row{Name: name, Problem: err.Error()}
	}
	return rows
}

// hold compares rows with their budgets and the peer's figures.
func hold(rows []Row, budgets []budget) {
	for i := range rows {
		if b, ok := budgetOf(budgets, rows[i].Name); ok {
			rows[i].hold(b)
		}
	}
}

// hold fills in what comes of a budget. An aim that was measured stays.
func (r *Row) hold(b budget) {
	r.Must, r.Peer = figure(b.must), figure(b.peer)
	if r.Aim == nil {
		r.Aim = figure(b.aim)
	}
	if r.Problem != "" {
		r.Unit = b.unit
		return
	}
	r.Missed = r.Must != nil && r.Value > *r.Must
	if r.Peer != nil && *r.Peer > 0 {
		ratio := r.Value / *r.Peer
		r.Ratio = &ratio
	}
}

func figure(v float64) *float64 {
	if v == none {
		return nil
	}
	return &v
}
