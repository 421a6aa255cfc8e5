package qemutests

import "strconv"

// machine is a stanza with the files that it boots: all that makes the
// emulator's command line.
type machine struct {
	Stanza
	kernel string
	initrd string
	disc   string // CD image with both, if the stanza boots from one
}

// command gives the program and its arguments. The console is the first
// serial port, on standard input and output.
func (m *machine) command() []string {
	accel, icount := "tcg,thread=multi", []string(nil)
	if m.Icount { // which QEMU does on one thread only
		accel, icount = "tcg,thread=single", []string{"-icount", "shift=0,sleep=off"}
	}
	args := []string{
		m.Emulator, "-accel", accel, "-cpu", m.CPU, "-smp", strconv.Itoa(m.SMP), "-m", m.Memory,
		"-nodefaults", "-nic", "none", "-display", "none", "-serial", "stdio", "-no-reboot",
	}
	if m.Disk != "" {
		args = append(args, "-drive", "if=ide,bus=0,unit=1,format=raw,file="+m.Disk)
	}
	args = append(args, m.boot()...)
	return append(append(args, icount...), m.Args...)
}

// boot gives the arguments that say what boots.
func (m *machine) boot() []string {
	if m.disc != "" {
		return []string{"-cdrom", m.disc}
	}
	args := []string{"-kernel", m.kernel}
	if m.initrd != "" {
		args = append(args, "-initrd", m.initrd)
	}
	if m.Append != "" {
		args = append(args, "-append", m.Append)
	}
	return args
}
