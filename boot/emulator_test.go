package boot_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/u-root/u-root/pkg/cpio"

	"ringo/boot"
	"ringo/boot/acpi"
	"ringo/boot/boottest"
	"ringo/boot/layout"
	"ringo/boot/smbios"
	"ringo/memory"
)

// A guest of the emulator tests.
const (
	emuRAM   = 256 << 20
	emuCPUs  = 2
	emuLimit = 60 * time.Second
	// emuStaging is above the guest's RAM: the BIOS area waits there.
	emuStaging = memory.GPA(emuRAM)
	emuGreets  = "RINGO-GUEST-UP\n"
	emuCmdline = "console=ttyS0 acpi_enforce_resources=strict panic=-1"
)

// TestKernelInEmulator lets a real kernel judge what the loaders and tables
// say, with no hypervisor of ours in between: QEMU's PC gets the loaded memory
// and a ROM that only enters the first state.
func TestKernelInEmulator(t *testing.T) {
	qemu := needEmulator(t)
	out := runEmulator(t, qemu, prepare(t, boottest.Kernel(t)))
	require.Contains(t, out, "BIOS-e820: [mem 0x0000000000100000-0x000000000ffbffff] usable")
	require.Contains(t, out, "DMI: Ringo Ringo virtual machine")
	require.Contains(t, out, "ACPI: RSDP 0x00000000000F0000 000024 (v02 RINGO )")
	require.Contains(t, out, "ACPI: PM-Timer IO Port: 0x608")
	require.Contains(t, out, "ACPI: INT_SRC_OVR (bus 0 bus_irq 9 global_irq 9 high level)")
	require.Contains(t, out, "ACPI: PM: (supports S0 S5)")
	require.Contains(t, out, "ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A")
	require.Contains(t, out, "rtc_cmos 00:01: registered as rtc0")
	require.Contains(t, out, fmt.Sprintf("Brought up 1 node, %d CPUs", emuCPUs))
	require.Contains(t, out, emuGreets[:len(emuGreets)-1])
	for _, bad := range []string{"ACPI Error", "ACPI BIOS Error", "ACPI BIOS Warning", "ACPI Warning", "[Firmware", "Kernel panic"} {
		require.NotContains(t, out, bad)
	}
}

// TestVMLinuxInEmulator boots an uncompressed kernel by PVH, if one is named.
func TestVMLinuxInEmulator(t *testing.T) {
	qemu := needEmulator(t)
	path := os.Getenv("RINGO_TEST_VMLINUX")
	if path == "" {
		t.Skip("RINGO_TEST_VMLINUX names no uncompressed kernel")
	}
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	out := runEmulator(t, qemu, prepare(t, file))
	require.Contains(t, out, "Booting paravirtualized kernel on")
	require.Contains(t, out, emuGreets[:len(emuGreets)-1])
}

// needEmulator finds QEMU, or skips: a boot takes half a minute.
func needEmulator(t *testing.T) string {
	if os.Getenv("RINGO_TEST_EMULATOR") == "" {
		t.Skip("RINGO_TEST_EMULATOR is not set: a kernel's boot in QEMU takes half a minute")
	}
	qemu, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skip("qemu-system-x86_64 is not installed (Debian package qemu-system-x86)")
	}
	return qemu
}

// prepare loads kernel with an initrd that turns the machine off, and gives
// the arguments that make QEMU run it.
func prepare(t *testing.T, kernel []byte) []string {
	l, err := layout.New(emuRAM)
	require.NoError(t, err)
	m := boottest.NewMemory(l)
	_, err = acpi.Install(m, l, acpi.Config{VCPUs: emuCPUs})
	require.NoError(t, err)
	require.NoError(t, smbios.Install(m, l, smbios.Config{Name: "test", VCPUs: emuCPUs, Version: "0"}))
	e, err := boot.Load(m, l, boot.Bytes(kernel), boot.Bytes(initramfs(t)), emuCmdline)
	require.NoError(t, err)
	rom, err := boottest.ROM(e.State, emuStaging)
	require.NoError(t, err)

	dir := t.TempDir()
	args := []string{"-bios", write(t, dir, "rom", rom)}
	bios := make([]byte, layout.BIOSSize)
	require.NoError(t, m.ReadAt(bios, layout.BIOSBase))
	runs := append(m.Runs(), boottest.Run{GPA: emuStaging, Data: bios})
	for _, r := range runs {
		if r.GPA == layout.BIOSBase {
			continue
		}
		name := write(t, dir, fmt.Sprintf("%x", uint64(r.GPA)), r.Data)
		args = append(args, "-device", fmt.Sprintf("loader,force-raw=on,addr=%#x,file=%s", uint64(r.GPA), name))
	}
	return args
}

// initramfs is an archive with a first process that turns the machine off.
func initramfs(t *testing.T) []byte {
	init, err := boottest.PowerOffInit(emuGreets)
	require.NoError(t, err)
	var b bytes.Buffer
	w := cpio.Newc.Writer(&b)
	require.NoError(t, cpio.WriteRecords(w, []cpio.Record{cpio.StaticFile("init", string(init), 0o755)}))
	require.NoError(t, cpio.WriteTrailer(w))
	return b.Bytes()
}

func write(t *testing.T, dir, name string, b []byte) string {
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

// runEmulator gives what the guest prints until it turns itself off.
func runEmulator(t *testing.T, qemu string, load []string) string {
	ctx, cancel := context.WithTimeout(t.Context(), emuLimit)
	defer cancel()
	args := append([]string{
		"-machine", "pc,accel=tcg", "-cpu", "max", "-smp", fmt.Sprint(emuCPUs),
		"-m", fmt.Sprint(emuRAM>>20 + 32), "-nodefaults", "-display", "none", "-vga", "none",
		"-serial", "stdio", "-no-reboot",
		// The PIIX4 turns off by this SLP_TYP.
		"-global", fmt.Sprintf("PIIX4_PM.s4_val=%d", layout.S5SleepType),
	}, load...)
	cmd := exec.CommandContext(ctx, qemu, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if t.Failed() || err != nil {
		t.Log(out.String())
	}
	require.NoError(t, err, "the guest did not turn itself off within %v", emuLimit)
	return out.String()
}
