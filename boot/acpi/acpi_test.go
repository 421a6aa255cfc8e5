package acpi_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	uacpi "github.com/u-root/u-root/pkg/acpi"

	"ringo/boot/acpi"
	"ringo/boot/boottest"
	"ringo/boot/layout"
	"ringo/memory"
)

var le = binary.LittleEndian

// guest is a machine with its tables installed.
type guest struct {
	t *testing.T
	l *layout.Layout
	m *boottest.Memory
}

func install(t *testing.T, vcpus int, ram uint64) guest {
	l, err := layout.New(ram)
	require.NoError(t, err)
	g := guest{t, l, boottest.NewMemory(l)}
	at, err := acpi.Install(g.m, l, acpi.Config{VCPUs: vcpus})
	require.NoError(t, err)
	require.Equal(t, layout.RSDPBase, at)
	return g
}

func (g guest) bytes(a uint64, n int) []byte {
	b := make([]byte, n)
	require.NoError(g.t, g.m.ReadAt(b, memory.GPA(a)))
	return b
}

// table reads the table at a, checks it and where it lies, and gives it as
// u-root's parser sees it.
func (g guest) table(a uint64, signature string) uacpi.Table {
	n := le.Uint32(g.bytes(a+4, 4))
	at := layout.Range{Start: memory.GPA(a), Size: uint64(n)}
	require.True(g.t, g.l.ACPI.Contains(at), "%s at %v", signature, at)
	b := g.bytes(a, int(n))
	require.Zero(g.t, sum(b), "%s checksum", signature)
	tables, err := uacpi.NewRaw(b)
	require.NoError(g.t, err)
	require.Len(g.t, tables, 1)
	require.Equal(g.t, signature, tables[0].Sig())
	require.Equal(g.t, `"RINGO "`, tables[0].OEMID())
	return tables[0]
}

func sum(b []byte) (s byte) {
	for _, c := range b {
		s += c
	}
	return s
}

// tables follows the pointers from the RSDP.
func (g guest) tables() map[string]uacpi.Table {
	r := g.bytes(uint64(layout.RSDPBase), 36)
	require.Equal(g.t, "RSD PTR ", string(r[:8]))
	require.Zero(g.t, sum(r[:20]))
	require.Zero(g.t, sum(r))
	require.EqualValues(g.t, 2, r[15])
	require.EqualValues(g.t, 36, le.Uint32(r[20:]))
	found := map[string]uacpi.Table{"XSDT": g.table(le.Uint64(r[24:]), "XSDT")}
	for i, sig := range []string{"FACP", "APIC"} {
		found[sig] = g.table(le.Uint64(found["XSDT"].TableData()[8*i:]), sig)
	}
	found["DSDT"] = g.table(le.Uint64(found["FACP"].Data()[140:]), "DSDT")
	return found
}

// Offsets are those of the specification's table "FADT Format".
func TestFADT(t *testing.T) {
	g := install(t, 1, 64<<20)
	f := g.tables()["FACP"]
	b := f.Data()
	require.Len(t, b, 276)
	require.EqualValues(t, 6, f.Revision())
	require.EqualValues(t, 3, b[131])
	require.EqualValues(t, 9, le.Uint16(b[46:]), "SCI_INT")
	require.Zero(t, le.Uint32(b[48:]), "SMI_CMD")
	require.EqualValues(t, 0x600, le.Uint32(b[56:]), "PM1a_EVT_BLK")
	require.EqualValues(t, 0x604, le.Uint32(b[64:]), "PM1a_CNT_BLK")
	require.EqualValues(t, 0x608, le.Uint32(b[76:]), "PM_TMR_BLK")
	require.Equal(t, []byte{4, 2, 0, 4}, b[88:92], "lengths")
	require.EqualValues(t, 0x32, b[108], "CENTURY")
	flags := le.Uint32(b[112:])
	require.Zero(t, flags&(1<<4), "the power button is fixed hardware")
	require.Zero(t, flags&(1<<20), "not hardware-reduced")
	require.NotZero(t, flags&(1<<10), "RESET_REG_SUP")
	require.Equal(t, []byte{1, 8, 0, 1, 0xF9, 0x0C, 0, 0, 0, 0, 0, 0, 6}, b[116:129], "RESET_REG, RESET_VALUE")
	require.Equal(t, []byte{1, 32, 0, 2, 0, 6, 0, 0, 0, 0, 0, 0}, b[148:160], "X_PM1a_EVT_BLK")
	require.Equal(t, []byte{1, 16, 0, 2, 4, 6, 0, 0, 0, 0, 0, 0}, b[172:184], "X_PM1a_CNT_BLK")
	require.Equal(t, []byte{1, 32, 0, 3, 8, 6, 0, 0, 0, 0, 0, 0}, b[208:220], "X_PM_TMR_BLK")
	require.Equal(t, "RINGO", string(bytes.TrimRight(b[268:], "\x00")))
	require.EqualValues(t, le.Uint64(b[140:]), le.Uint32(b[40:]), "DSDT and X_DSDT agree")

	facs := uint64(le.Uint32(b[36:]))
	require.Zero(t, facs%64)
	require.True(t, g.l.NVS.Contains(layout.Range{Start: memory.GPA(facs), Size: 64}))
	require.Equal(t, "FACS\x40\x00\x00\x00", string(g.bytes(facs, 8)))
	require.EqualValues(t, 2, g.bytes(facs, 64)[32], "version")
}

// entries splits the MADT by the length byte of each entry.
func entries(t *testing.T, madt uacpi.Table) map[byte][][]byte {
	found := map[byte][][]byte{}
	b := madt.TableData()[8:]
	for len(b) > 0 {
		n := int(b[1])
		require.LessOrEqual(t, 2, n)
		require.LessOrEqual(t, n, len(b))
		found[b[0]] = append(found[b[0]], b[:n])
		b = b[n:]
	}
	return found
}

func TestMADT(t *testing.T) {
	m := install(t, 2, 64<<20).tables()["APIC"]
	require.EqualValues(t, 0xFEE00000, le.Uint32(m.TableData()))
	require.EqualValues(t, 1, le.Uint32(m.TableData()[4:]), "PCAT_COMPAT")
	require.Equal(t, map[byte][][]byte{
		0: {{0, 8, 0, 0, 1, 0, 0, 0}, {0, 8, 1, 1, 1, 0, 0, 0}},
		1: {{1, 12, 0, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0}},
		2: {{2, 10, 0, 0, 2, 0, 0, 0, 0, 0}, {2, 10, 0, 9, 9, 0, 0, 0, 0x0D, 0}},
		4: {{4, 6, 0xFF, 5, 0, 1}},
	}, entries(t, m))
}

func TestMADTManyProcessors(t *testing.T) {
	e := entries(t, install(t, 255, 64<<20).tables()["APIC"])
	require.Len(t, e[0], 255)
	require.Empty(t, e[9])
	require.Empty(t, e[10])

	e = entries(t, install(t, 300, 64<<20).tables()["APIC"])
	require.Len(t, e[0], 255)
	require.Len(t, e[9], 45)
	require.Equal(t, []byte{9, 16, 0, 0, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0xFF, 0, 0, 0}, e[9][0])
	require.Equal(t, [][]byte{{10, 12, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0}}, e[10])
}

func TestDSDT(t *testing.T) {
	d := install(t, 17, 64<<20).tables()["DSDT"]
	require.EqualValues(t, 2, d.Revision())
	b := d.TableData()
	require.Contains(t, string(b), "C010\x08_HID\x0DACPI0007\x00\x08_UID\x0A\x10")
	require.NotContains(t, string(b), "C011")
	require.Contains(t, string(b), "\x08\\_S5_\x12\x07\x04\x0A\x05\x00\x00\x00")
	require.Contains(t, string(b), "COM1")
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		vcpus int
		ram   uint64
	}{{1, layout.MinRAM}, {64, 4 << 30}, {acpi.MaxVCPUs, 8 << 30}} {
		install(t, c.vcpus, c.ram).tables()
	}
	for _, n := range []int{-1, 0, acpi.MaxVCPUs + 1} {
		l, err := layout.New(64 << 20)
		require.NoError(t, err)
		_, err = acpi.Install(boottest.NewMemory(l), l, acpi.Config{VCPUs: n})
		require.ErrorIs(t, err, acpi.ErrConfig)
		require.ErrorContains(t, err, "give 1 to 4096")
	}
}

// iasl reads every table without a word of complaint.
func TestDisassembles(t *testing.T) {
	iasl, err := exec.LookPath("iasl")
	if err != nil {
		t.Skip("iasl is not installed (Debian package acpica-tools)")
	}
	for name, table := range install(t, 300, 5<<30).tables() {
		file := filepath.Join(t.TempDir(), name+".aml")
		require.NoError(t, os.WriteFile(file, table.Data(), 0o600))
		out, err := exec.Command(iasl, "-d", file).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
		require.NotContains(t, string(out), "Error", name)
		require.NotContains(t, string(out), "Warning", name)
	}
}
