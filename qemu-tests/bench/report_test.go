package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/qemu-tests/bench/internal/trace"
)

func sample() *Report {
	rows := []Row{newRow("cpuid", unitTicks, 568), newRow("loop", unitTicks, 2), newRow("port-read", unitTicks, 1466), newRow("cpuid: lock", unitCount, 0)}
	rows = append(rows, newRow("linux-boot", unitMTicks, 1385.18).withAim(1432.59))
	rows = append(rows, failed(errors.New("no image"), "image")...)
	hold(rows, svmBudgets)
	return &Report{Date: "2026-01-02", Emulator: "QEMU 7.2", Clock: "-icount shift=0", Peer: "KVM+QEMU", Rows: rows}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, sample().table(&out))
	text := out.String()
	require.Contains(t, text, "2026-01-02, QEMU 7.2, -icount shift=0\n")
	require.Regexp(t, `(?m)^ +row +measured +must +aim +KVM\+QEMU\* +ratio$`, text)
	require.Regexp(t, `(?m)^ +cpuid +568 ticks +600 +280 +2841 +0\.20$`, text)
	require.Regexp(t, `(?m)^ +loop +2 ticks +- +- +- +-$`, text)
	require.Regexp(t, `(?m)^ +port-read +1466 ticks +900 +450 +4971 +0\.29 +MISSED$`, text)
	require.Regexp(t, `(?m)^ +cpuid: lock +0 +2 +- +- +-$`, text)
	require.Regexp(t, `(?m)^ +linux-boot +1385\.2 M ticks +1550 +1432\.6 +1629 +0\.85$`, text)
	require.Regexp(t, `(?m)^ +image +- +16 +8 +- +- +not measured$`, text)
	require.Contains(t, text, "1 rows miss what they must reach, 1 were not measured.")
	require.Contains(t, text, "image: no image")
}

func TestReasons(t *testing.T) {
	r := &Report{Rows: []Row{newRow("loop", unitTicks, 2)}}
	r.Rows = append(r.Rows, failed(errors.New("hung"), "cpuid", "vmcall")...)
	r.Rows = append(r.Rows, failed(errors.New("lost"), "image")...)
	require.Equal(t, "cpuid, vmcall: hung\nimage: lost\n", r.reasons())
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	r := sample()
	require.NoError(t, r.json(&out))
	var back Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	require.Equal(t, *r, back)
}

// held gives one row after the comparison with the budgets of an emulator.
func held(r Row, budgets []budget) Row {
	rows := []Row{r}
	hold(rows, budgets)
	return rows[0]
}

func TestHold(t *testing.T) {
	require.False(t, held(newRow("cpuid", unitTicks, 600), svmBudgets).Missed)
	require.True(t, held(newRow("cpuid", unitTicks, 601), svmBudgets).Missed)
	require.True(t, held(newRow("cpuid", unitTicks, 451), vmxBudgets).Missed)
	require.True(t, held(newRow("cpuid: wrmsr", unitCount, 1), svmBudgets).Missed, "a budget of 0 counts")
	require.False(t, held(newRow("vmmcall", unitTicks, 1e9), svmBudgets).Missed, "no budget")
	require.Nil(t, held(newRow("eoi-xapic", unitTicks, 7), svmBudgets).Must)
	require.InDelta(t, 0.5, *held(newRow("eoi-x2apic", unitTicks, 845), vmxBudgets).Ratio, 1e-9)
	require.EqualValues(t, 5, *held(newRow("cpuid", unitTicks, 1).withAim(5), svmBudgets).Aim, "a measured aim stays")
}

func TestHoldOfWhatFailed(t *testing.T) {
	r := held(failed(errors.New("no image"), "image")[0], vmxBudgets)
	require.Equal(t, unitMiB, r.Unit)
	require.False(t, r.Missed)
	require.Nil(t, r.Ratio)
	require.EqualValues(t, 16, *r.Must)
	require.Equal(t, unitCount, held(failed(errors.New("no"), "something else")[0], vmxBudgets).Unit)
}

// A row that is there twice would be held against the first entry only.
func TestBudgetsAreUnique(t *testing.T) {
	for name, e := range emulators {
		seen := map[string]bool{}
		for _, b := range e.budgets {
			require.False(t, seen[b.name], "%s: %s", name, b.name)
			seen[b.name] = true
		}
	}
}

func TestHeavyRows(t *testing.T) {
	p := trace.Path{Instructions: 100}
	p.Counts[trace.ClassWRMSR], p.Counts[trace.ClassRDTSC] = 1, 2
	rows := heavyRows("cpuid", p, svmBudgets)
	hold(rows, svmBudgets)
	v := values(rows)
	require.EqualValues(t, 100, v["cpuid: host instructions"])
	require.EqualValues(t, 2, v["cpuid: rdtsc"])
	require.Contains(t, v, "cpuid: lock", "what has a budget is reported even at 0")
	require.NotContains(t, v, "cpuid: dr-write")
	for _, r := range rows {
		require.Equal(t, r.Name == "cpuid: wrmsr", r.Missed, r.Name)
	}
	require.Len(t, heavyRows("mmio-write", trace.Path{Instructions: 5}, svmBudgets), 1)
}

// Each budget of an exit's instructions names a class, so that a typing error
// cannot make it vanish.
func TestHeavyBudgetsAreClasses(t *testing.T) {
	classes := map[string]bool{}
	for c := range trace.NumClasses {
		classes["cpuid: "+c.String()] = true
	}
	for _, e := range emulators {
		for _, name := range budgetsOf(e.budgets, "cpuid: ") {
			require.True(t, classes[name], name)
		}
	}
}
