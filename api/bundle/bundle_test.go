package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const fullConfig = `node:
  name: node-a
  loglevel: debug
  onpanic: reboot
  gomaxprocs: 3
  console:
    escape: ^A
vms:
  - name: web
    machine: ringo-1
    memory: 512M
    vcpus: 2
    cpu-weight: 200
    cpu-cap: 150
    kernel: boot/vmlinuz
    initrd: ./initrd
    cmdline: console=ttyS0 quiet
    boot-protocol: linux
    autostart: true
    start-order: 10
    start-delay: 1500ms
    on-crash: keep
    on-poweroff: restart
    console:
      scrollback: 64K
    clock: utc
    cpuid:
      hide: [avx512f, x2apic]
    debug-exit: true
  - name: spare
    memory: 1G
    kernel: boot/vmlinuz
    autostart: false
  - {name: first, memory: 4M, kernel: boot/vmlinuz, start-order: 1}
`

// archiveOf makes an archive of ringo.yaml and the files of fullConfig.
func archiveOf(t testing.TB, config string) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Write(&out, []File{
		{ConfigName, []byte(config)},
		{"boot/vmlinuz", []byte("kernel")},
		{"initrd", []byte("ramdisk")},
		{"empty", nil},
	}))
	return out.Bytes()
}

func TestParse(t *testing.T) {
	data := archiveOf(t, fullConfig)
	b, err := Parse(data)
	require.NoError(t, err)

	require.Equal(t, Node{
		Name: "node-a", LogLevel: LogDebug, OnPanic: PanicReboot, GOMAXPROCS: 3,
		Console: NodeConsole{Escape: 1},
	}, b.Node)
	require.Len(t, b.VMs, 3)
	web := b.VMs[0]
	web.at = position{}
	require.Equal(t, VM{
		Name: "web", Machine: "ringo-1", Memory: 512 << 20, VCPUs: 2, CPUWeight: 200, CPUCap: 150,
		Kernel: "boot/vmlinuz", Initrd: "initrd", Cmdline: "console=ttyS0 quiet",
		BootProtocol: BootLinux, Autostart: true, StartOrder: 10, StartDelay: 1500 * time.Millisecond,
		OnCrash: CrashKeep, OnPoweroff: PoweroffRestart, Console: VMConsole{Scrollback: 64 << 10},
		Clock: ClockUTC, CPUID: CPUID{Hide: []string{"avx512f", "x2apic"}}, DebugExit: true,
	}, web)

	require.EqualValues(t, 516<<20, b.MemoryNeeded())
	require.Equal(t, []int{2, 0}, b.StartOrder())

	kernel, ok := b.File("boot/vmlinuz")
	require.True(t, ok)
	require.Equal(t, "kernel", string(kernel))
	at := bytes.Index(data, []byte("kernel\x00"))
	require.Same(t, &data[at], &kernel[0], "contents are a slice of the archive")
	require.Equal(t, len(kernel), cap(kernel), "an append must not write into the archive")

	var names []string
	for _, f := range b.Files() {
		names = append(names, f.Name)
	}
	require.Equal(t, []string{"boot/vmlinuz", "empty", "initrd", "ringo.yaml"}, names)
}

func TestDefaults(t *testing.T) {
	b, err := Parse(archiveOf(t, "vms: [{name: a, memory: 2M, kernel: initrd}]"))
	require.NoError(t, err)
	require.Equal(t, defaultNode(), b.Node)
	want := defaultVM()
	want.Name, want.Memory, want.Kernel, want.at = "a", 2<<20, "initrd", b.VMs[0].at
	require.Equal(t, want, b.VMs[0])
}

func TestNodeAlone(t *testing.T) {
	b, err := Parse(archiveOf(t, "node: {name: x}"))
	require.NoError(t, err)
	require.Empty(t, b.VMs)
	require.Zero(t, b.MemoryNeeded())
}

// vmWith gives a definition with one more line.
func vmWith(line string) string {
	return "vms:\n- name: a\n  memory: 4M\n  kernel: initrd\n  " + line + "\n"
}

func TestProblems(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, c := range []struct {
		name, config, want string
		is                 error
	}{
		{"unknown top key", "nodes: 1", "ringo.yaml:1: nodes: unknown key: expected one of node, vms", ErrUnknownKey},
		{"unknown node key", "node:\n  nme: x", "ringo.yaml:2: node.nme: unknown key: expected one of name,", ErrUnknownKey},
		{"unknown vm key", vmWith("memroy: 4M"), "ringo.yaml:5: vms[0].memroy: unknown key", ErrUnknownKey},
		{"unknown deep key", vmWith("cpuid: {show: [a]}"), "ringo.yaml:5: vms[0].cpuid.show: unknown key: expected one of hide", ErrUnknownKey},
		{"long key", long + ": 1", "ringo.yaml", ErrUnknownKey},
		{"key twice", vmWith("memory: 8M"), "ringo.yaml:5: vms[0].memory: given twice: the first time is in line 3", ErrDuplicate},
		{"key is a list", "[a]: 1", "ringo.yaml:1: wrong type: found a list where a key is expected", ErrType},
		{"top is a list", "- 1", "ringo.yaml:1: wrong type: found a list, expected a mapping", ErrType},
		{"vms is a mapping", "vms: {a: 1}", "ringo.yaml:1: vms: wrong type: found a mapping, expected a list", ErrType},
		{"vm is text", "vms: [web]", `ringo.yaml:1: vms[0]: wrong type: found "web"`, ErrType},
		{"value is nothing", "node:\n  name:", "ringo.yaml:2: node.name: wrong type: found nothing", ErrType},
		{"value is a list", vmWith("cmdline: [a]"), "ringo.yaml:5: vms[0].cmdline: wrong type: found a list", ErrType},
		{"bad boolean", vmWith("autostart: maybe"), "ringo.yaml:5: vms[0].autostart: wrong type: found \"maybe\", expected true or false", ErrType},
		{"no name", "vms:\n- memory: 4M\n  kernel: initrd", "ringo.yaml:2: vms[0].name: missing key", ErrMissing},
		{"no kernel", "vms:\n- memory: 4M\n  name: a", "ringo.yaml:2: vms[0].kernel: missing key", ErrMissing},
		{"bad name", vmWith("") + "- {name: -b, memory: 4M, kernel: initrd}", `ringo.yaml:6: vms[1].name: bad value: found "-b"`, ErrValue},
		{"duplicate vm", vmWith("") + "- {name: a, memory: 4M, kernel: initrd}", "ringo.yaml:6: vms[1].name: given twice: the VM of line 2", ErrDuplicate},
		{"file absent", "vms:\n- {name: a, memory: 4M, kernel: vmlinux}", `ringo.yaml:2: vms[0].kernel: no such file in the bundle: "vmlinux"`, ErrNoFile},
		{"file is a directory", vmWith("initrd: dir"), `ringo.yaml:5: vms[0].initrd: no such file in the bundle: "dir"`, ErrNoFile},
		{"file empty", vmWith("initrd: empty"), `"empty" is empty`, ErrNoFile},
		{"file outside", vmWith("initrd: ../initrd"), "expected a path below", ErrValue},
		{"file absolute", vmWith("initrd: /initrd"), "expected a path below", ErrValue},
		{"bad size", "vms: [{name: a, memory: 4MB, kernel: initrd}]", `ringo.yaml:1: vms[0].memory: bad value: found "4MB", expected a size`, ErrValue},
		{"size wraps", "vms: [{name: a, memory: 99999999999T, kernel: initrd}]", "expected a size", ErrValue},
		{"odd memory", "vms: [{name: a, memory: 3M, kernel: initrd}]", `vms[0].memory: bad value: found "3M", expected a multiple of 2M`, ErrValue},
		{"no memory", "vms: [{name: a, memory: 0, kernel: initrd}]", `found "0", expected 2M to 64T`, ErrValue},
		{"no vcpus", vmWith("vcpus: 0"), "ringo.yaml:5: vms[0].vcpus: bad value: found 0, expected a number from 1 to 64", ErrValue},
		{"many vcpus", vmWith("vcpus: 65"), "found 65, expected a number from 1 to 64", ErrValue},
		{"vcpus as text", vmWith("vcpus: two"), `vms[0].vcpus: wrong type: found "two"`, ErrType},
		{"machine", vmWith("machine: ringo-9"), `vms[0].machine: bad value: found "ringo-9", expected one of ringo-1`, ErrValue},
		{"weight", vmWith("cpu-weight: 0"), "from 1 to 10000", ErrValue},
		{"protocol", vmWith("boot-protocol: efi"), "expected one of auto, linux, pvh, multiboot", ErrValue},
		{"delay", vmWith("start-delay: 5"), "expected a time with its unit", ErrValue},
		{"negative delay", vmWith("start-delay: -5s"), "expected a time with its unit", ErrValue},
		{"escape", "node: {console: {escape: q}}", "node.console.escape: bad value", ErrValue},
		{"long command line", vmWith("cmdline: " + long), "vms[0].cmdline: too much: 5000 bytes", ErrTooMuch},
		{"command line of two lines", vmWith(`cmdline: "a\nb"`), "control character 0x0a at byte 1", ErrValue},
		{"hidden feature", vmWith("cpuid: {hide: ['a b']}"), "ringo.yaml:5: vms[0].cpuid.hide[0]: bad value", ErrValue},
		{"many VMs", "vms: [" + strings.Repeat("0,", MaxVMs+1) + "]", "vms: too much: 1025 entries", ErrTooMuch},
		{"empty", "", "ringo.yaml: not valid YAML", ErrSyntax},
		{"only a comment", "# x\n", "ringo.yaml: not valid YAML", ErrSyntax},
		{"syntax", "node:\n  name: [", "ringo.yaml:", ErrSyntax},
		{"tab", "node:\n\tname: x", "ringo.yaml:2: not valid YAML", ErrSyntax},
		{"two documents", "node: {}\n---\nnode: {}", "ringo.yaml:", ErrSyntax},
		{"alias", "node: &n {name: x}\nvms: *n", "ringo.yaml:2: vms: wrong type", ErrType},
		{"deep", strings.Repeat("[", 5000), "nested deeper than 32", ErrSyntax},
		{"not text", "node: {name: a\x01\xff}", "ringo.yaml", ErrSyntax},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := archiveOf(t, c.config)
			_, err := Parse(data)
			require.ErrorContains(t, err, c.want)
			require.ErrorIs(t, err, c.is)
			var p *Problem
			require.True(t, errors.As(err, &p))
			require.Less(t, len(err.Error()), 1000)
		})
	}
}

func TestProblemsTogether(t *testing.T) {
	_, err := Parse(archiveOf(t, "vms:\n- name: a\n  vcpus: 99\n  kernel: nope\n  memory: 3M\nnode: {loglevel: loud}\n"))
	var all Problems
	require.True(t, errors.As(err, &all))
	lines := []int{}
	for _, p := range all {
		lines = append(lines, p.Line)
	}
	require.Equal(t, []int{3, 4, 5, 6}, lines)
	require.ErrorIs(t, err, ErrNoFile)
	require.ErrorIs(t, err, ErrValue)
	require.NotErrorIs(t, err, ErrArchive)
}

func TestReportIsBounded(t *testing.T) {
	var config strings.Builder
	for i := range 500 {
		fmt.Fprintf(&config, "k%d: 1\n", i)
	}
	_, err := Parse(archiveOf(t, config.String()))
	var all Problems
	require.True(t, errors.As(err, &all))
	require.Len(t, all, maxProblems+1)
	require.ErrorContains(t, err, "450 further problems are not shown")
}

func TestConfigTooLarge(t *testing.T) {
	_, err := Parse(archiveOf(t, strings.Repeat("#\n", MaxConfigSize)))
	require.ErrorIs(t, err, ErrTooMuch)
}

func TestVMProblem(t *testing.T) {
	b, err := Parse(archiveOf(t, fullConfig))
	require.NoError(t, err)
	require.EqualError(t, b.VMs[0].Problem("memory", ErrTooMuch, "asked %s", "512M"),
		"ringo.yaml:11: vms[0].memory: too much: asked 512M")
	require.EqualError(t, b.VMs[1].Problem("vcpus", ErrTooMuch, "x"), "ringo.yaml:30: vms[1].vcpus: too much: x",
		"a key that is not there has the line of its VM")
}

func TestSize(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "1": 1, "4096": 4096, "64K": 64 << 10, "256M": 256 << 20, "3G": 3 << 30, "2T": 2 << 40,
	} {
		v, err := ParseSize(text)
		require.NoError(t, err, text)
		require.Equal(t, want, v, text)
		again, err := ParseSize(FormatSize(v))
		require.NoError(t, err)
		require.Equal(t, v, again)
	}
	for _, text := range []string{"", "M", "-1M", "+1", "1.5G", "1 G", "0x10", "16777216T", "18446744073709551616", "1MM", "1k"} {
		_, err := ParseSize(text)
		require.Error(t, err, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(archiveOf(f, fullConfig))
	f.Add(archiveOf(f, vmWith("vcpus: [*a, {b: !!int x}]")))
	f.Add(archiveOf(f, "vms: [{name: a, memory: 4M, kernel: initrd, cpuid: {hide: [a]}}]"))
	f.Add([]byte(newcMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Parse(data)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.LessOrEqual(t, len(b.VMs), MaxVMs)
		b.MemoryNeeded()
		for _, v := range b.VMs {
			kernel, ok := b.File(v.Kernel)
			require.True(t, ok)
			require.NotEmpty(t, kernel)
			require.Zero(t, v.Memory%MemoryStep)
			require.True(t, v.VCPUs >= 1 && v.VCPUs <= MaxVCPUs)
		}
		var again bytes.Buffer
		require.NoError(t, Write(&again, b.Files()))
		_, err = Parse(again.Bytes())
		require.NoError(t, err)
	})
}

// FuzzConfig spends its time in the YAML instead of the archive.
func FuzzConfig(f *testing.F) {
	f.Add(fullConfig)
	f.Add("a: &a [*a]\n<<: *a")
	f.Fuzz(func(t *testing.T, config string) {
		d := decoder{}
		if d.bundle([]byte(config)); len(d.problems) > 0 {
			require.NotEmpty(t, d.problems.sorted().Error())
		}
	})
}
