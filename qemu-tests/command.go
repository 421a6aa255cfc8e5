package qemutests

import "strconv"

// machine is a stanza with the files that it boots: all that makes the
// emulator's command line.
type machine struct {
	Stanza
	kernel string
	initrd string
}

// command gives the program and its arguments. The console is the first
// serial port, on standard input and output.
func (m *machine) command() []string {
	args := []string{
		m.Emulator, "-accel", "tcg,thread=multi", "-cpu", m.CPU, "-smp", strconv.Itoa(m.SMP), "-m", m.Memory,
		"-nodefaults", "-nic", "none", "-display", "none", "-serial", "stdio", "-no-reboot",
		"-kernel", m.kernel,
	}
	if m.initrd != "" {
		args = append(args, "-initrd", m.initrd)
	}
	if m.Append != "" {
		args = append(args, "-append", m.Append)
	}
	return append(args, m.Args...)
}
