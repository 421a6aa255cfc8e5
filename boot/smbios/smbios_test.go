package smbios_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	usmbios "github.com/u-root/u-root/pkg/smbios"

	"ringo/boot/boottest"
	"ringo/boot/layout"
	"ringo/boot/smbios"
	"ringo/memory"
)

// install makes the structures and reads them back with u-root's parser.
func install(t *testing.T, ram uint64, c smbios.Config) *usmbios.Info {
	l, err := layout.New(ram)
	require.NoError(t, err)
	m := boottest.NewMemory(l)
	require.NoError(t, smbios.Install(m, l, c))
	entry := make([]byte, 24)
	require.NoError(t, m.ReadAt(entry, layout.SMBIOSBase))
	_, e, err := usmbios.ParseEntry(entry)
	require.NoError(t, err, "anchor and checksum")
	require.NotNil(t, e)
	at := layout.Range{Start: memory.GPA(e.StructTableAddr), Size: uint64(e.StructMaxSize)}
	require.True(t, layout.Range{Start: layout.SMBIOSBase, Size: layout.SMBIOSSize}.Contains(at))
	table := make([]byte, at.Size)
	require.NoError(t, m.ReadAt(table, at.Start))
	info, err := usmbios.ParseInfo(entry, table)
	require.NoError(t, err)
	return info
}

func TestInstall(t *testing.T) {
	info := install(t, 5<<30, smbios.Config{
		Name: "web", VCPUs: 4, Version: "0.1",
		UUID: [16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF},
	})
	require.EqualValues(t, 3, info.MajorVersion())
	require.EqualValues(t, 2, info.MinorVersion())
	var types []int
	for _, s := range info.Tables {
		types = append(types, int(s.Type))
	}
	require.Equal(t, []int{0, 1, 3, 4, 16, 17, 19, 19, 32, 127}, types)

	b, err := info.GetBIOSInfo()
	require.NoError(t, err)
	require.Equal(t, "Ringo", b.Vendor)
	require.Equal(t, "0.1", b.Version)
	s, err := info.GetSystemInfo()
	require.NoError(t, err)
	require.Equal(t, "web", s.SerialNumber)
	require.Equal(t, "ringo-1", s.Version)
	require.Equal(t, "00112233-4455-6677-8899-aabbccddeeff", s.UUID.String())
	p, err := info.GetProcessorInfo()
	require.NoError(t, err)
	require.Len(t, p, 1)
	require.Equal(t, 4, p[0].GetCoreCount())
	d, err := info.GetMemoryDevices()
	require.NoError(t, err)
	require.Len(t, d, 1)
	require.EqualValues(t, 5<<30, d[0].GetSizeBytes())
	_, err = info.GetChassisInfo()
	require.NoError(t, err)
}

func TestManyProcessors(t *testing.T) {
	p, err := install(t, 64<<20, smbios.Config{VCPUs: 300}).GetProcessorInfo()
	require.NoError(t, err)
	require.Equal(t, 300, p[0].GetThreadCount())
}

// A name may come from a user: it can neither end a string early nor grow the
// structures without bound.
func TestHostileName(t *testing.T) {
	s, err := install(t, 64<<20, smbios.Config{Name: "a\x00b\nü", VCPUs: 1}).GetSystemInfo()
	require.NoError(t, err)
	require.Equal(t, "a?b??", s.SerialNumber)
	s, err = install(t, 64<<20, smbios.Config{Name: strings.Repeat("x", 1<<20), VCPUs: 1}).GetSystemInfo()
	require.NoError(t, err)
	require.Len(t, s.SerialNumber, 64)
	s, err = install(t, 64<<20, smbios.Config{VCPUs: 1}).GetSystemInfo()
	require.NoError(t, err)
	require.Equal(t, "none", s.SerialNumber)
}

func TestRefuses(t *testing.T) {
	l, err := layout.New(64 << 20)
	require.NoError(t, err)
	for _, n := range []int{0, -1, 1 << 16} {
		err := smbios.Install(boottest.NewMemory(l), l, smbios.Config{VCPUs: n})
		require.ErrorIs(t, err, smbios.ErrConfig)
		require.ErrorContains(t, err, "give 1 to 65535")
	}
}
