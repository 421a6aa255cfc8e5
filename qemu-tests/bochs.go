package qemutests

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Bochs is the emulator with VT-x and EPT. It has no display here, boots from
// a CD only, and its first serial port is a TCP connection that it makes to
// the runner.
const Bochs = "bochs-bin"

// SkylakeX is Bochs' processor with the most of VT-x.
const SkylakeX = "corei7_skylake_x"

// bochsIPS is the usual frequency of Bochs' processor: one instruction is one tick
// of the TSC. At a quarter of it, a goroutine on one CPU gets preemption
// signals from another one as fast as it can serve them, and stands still.
const bochsIPS = 400_000_000

// isBochs says that the stanza's emulator is Bochs, which starts differently.
func (s *Stanza) isBochs() bool { return filepath.Base(s.Emulator) == Bochs }

// bochsConfig gives the text of the configuration file. A CPU that shuts down
// stops the machine and does not reset it, MSRs that Bochs does not know read
// as zero, the BIOS does not wait for a key, and what the guest does wrong is
// not logged: there would be a line for each EPT violation.
func (m *machine) bochsConfig(port int, log string) (string, error) {
	megabytes, err := megabytes(m.Memory)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`display_library: term
plugin_ctrl: unmapped=1, biosdev=1, serial=1, iodebug=1
cpu: model=%s, count=%d, ips=%d, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=%d, host=%d
romimage: file="/usr/share/bochs/BIOS-bochs-latest", options=fastboot
vgaromimage: file="/usr/share/bochs/VGABIOS-lgpl-latest"
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path="%s", status=inserted
boot: cdrom
com1: enabled=1, mode=socket-client, dev=127.0.0.1:%d
%ssound: driver=dummy
clock: sync=none, time0=utc
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
log: "%s"
`, m.CPU, m.SMP, cmp.Or(m.IPS, bochsIPS), megabytes, megabytes, m.disc, port, m.bochsDisk(), log), nil
}

// bochsDisk is the line for the second disk.
func (m *machine) bochsDisk() string {
	if m.Disk == "" {
		return ""
	}
	return fmt.Sprintf("ata0-slave: type=disk, mode=flat, path=%q, cylinders=%d, heads=%d, spt=%d\n",
		m.Disk, diskCylinders, diskHeads, diskSectors)
}

// megabytes translates QEMU's way to write an amount of memory, such as 512M,
// 1G or 512.
func megabytes(s string) (int, error) {
	n, unit := s, 1
	switch {
	case strings.HasSuffix(s, "G"):
		n, unit = strings.TrimSuffix(s, "G"), 1024
	case strings.HasSuffix(s, "M"):
		n = strings.TrimSuffix(s, "M")
	}
	v, err := strconv.Atoi(n)
	if err != nil || v <= 0 {
		return 0, fmt.Errorf("memory %q: Bochs wants a number with M or G", s)
	}
	return v * unit, nil
}

// bochsRun is one run of Bochs.
type bochsRun struct {
	cmd    *exec.Cmd
	line   net.Listener // where its serial port connects to
	screen *tail        // its own output: what the debugger says at the end
}

// newBochs writes the configuration and prepares the command.
func (m *machine) newBochs(ctx context.Context) (*bochsRun, error) {
	line, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(m.disc, filepath.Ext(m.disc))
	config, err := m.bochsConfig(line.Addr().(*net.TCPAddr).Port, base+".bochs")
	for name, text := range map[string]string{base + ".rc": config, base + ".cmd": m.debugger()} {
		if err == nil {
			err = os.WriteFile(name, []byte(text), 0o644)
		}
	}
	if err != nil {
		line.Close()
		return nil, err
	}
	args := append([]string{"-q", "-f", base + ".rc", "-rc", base + ".cmd"}, m.Args...)
	cmd := exec.CommandContext(ctx, m.Emulator, args...)
	cmd.Env = append(os.Environ(), "TERM=vt100")
	b := &bochsRun{cmd: cmd, line: line, screen: &tail{}}
	var screen io.Writer = b.screen
	if m.Screen != nil {
		screen = io.MultiWriter(b.screen, m.Screen)
	}
	cmd.Stdout, cmd.Stderr = screen, screen
	return b, nil
}

// debugger gives the text of the file of commands. Debian's Bochs is the one
// with the debugger, which waits at the start: c continues.
func (m *machine) debugger() string {
	if m.Debugger == nil {
		return "c\n"
	}
	return strings.Join(m.Debugger, "\n") + "\n"
}

// run runs Bochs to its end. serve gets the serial port.
func (b *bochsRun) run(serve func(net.Conn)) (ending, error) {
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := b.line.Accept()
		if err != nil {
			return // Bochs ended before it connected
		}
		defer conn.Close()
		serve(conn)
	}()
	state, err := runGroup(b.cmd, func() {})
	b.line.Close()
	<-served
	if err != nil {
		return ending{}, err
	}
	return b.ending(state), nil
}

// ending tells how Bochs ended. It counts a power-off by the guest as a panic
// of its own, with code 1; here it is code 0.
func (b *bochsRun) ending(state *os.ProcessState) ending {
	e := ending{exited: state.Exited(), code: state.ExitCode(), text: state.String()}
	for _, off := range []string{"ACPI control: soft power off", "Shutdown port: shutdown requested"} {
		if e.exited && bytes.Contains(b.screen.bytes, []byte(off)) {
			e.code = 0
		}
	}
	return e
}

// tail keeps the last part of what is written to it.
type tail struct{ bytes []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.bytes = append(t.bytes, p...)
	if n := len(t.bytes) - maxLine; n > 0 {
		t.bytes = append(t.bytes[:0], t.bytes[n:]...)
	}
	return len(p), nil
}
