package main

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRows(t *testing.T) {
	rows, err := exitRows([]byte("boot\nbench loop 8\r\n[x] bench cpuid 568\nbench eoi-x2apic 40\n"))
	require.NoError(t, err)
	require.Equal(t, []Row{{"loop", 8, 0}, {"cpuid", 568, 2841}, {"eoi-x2apic", 40, 0}}, rows)
	_, err = exitRows([]byte("bench loop 99999999999999999999\n"))
	require.Error(t, err)
}

func TestNumber(t *testing.T) {
	n, err := number([]byte("x\nRINGO-INIT tsc=000000027e7b4851\n"), initLine, 16)
	require.NoError(t, err)
	require.EqualValues(t, 0x27e7b4851, n)
	n, err = number([]byte("firmware 1234 ticks\n"), firmwareLine, 10)
	require.NoError(t, err)
	require.EqualValues(t, 1234, n)
	_, err = number([]byte("nothing"), initLine, 16)
	require.Error(t, err)
}

func TestPrint(t *testing.T) {
	rows := []Row{{"cpuid", 568, 2841}, {"loop", 8, 0}}
	var out bytes.Buffer
	require.NoError(t, printTable(&out, rows))
	require.Regexp(t, `cpuid +568 +2841 +20 %`, out.String())
	require.Regexp(t, `loop +8 +- +-`, out.String())

	out.Reset()
	require.NoError(t, printJSON(&out, rows))
	var back []Row
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	require.Equal(t, rows, back)
}

func TestFirmwareKernel(t *testing.T) {
	_, err := elf.NewFile(bytes.NewReader(firmwareKernel()))
	require.NoError(t, err)
}
