package qemutests

import (
	"bytes"
	"debug/elf"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A machine that does not finish in time is asked where its processors stand
// before it is ended: a stand-still in a run that nobody watches leaves no
// other trace.

// monitor is QEMU's human monitor on a socket of its own.
type monitor struct {
	folder string
}

func newMonitor() (*monitor, error) {
	folder, err := os.MkdirTemp("", "ringo-")
	return &monitor{folder}, err
}

func (q *monitor) close() { _ = os.RemoveAll(q.folder) }

func (q *monitor) socket() string { return filepath.Join(q.folder, "monitor") }

func (q *monitor) args() []string {
	return []string{"-monitor", "unix:" + q.socket() + ",server=on,wait=off"}
}

// ask gives the monitor commands and returns all that it says within a second
// after each.
func (q *monitor) ask(commands ...string) (string, error) {
	conn, err := net.DialTimeout("unix", q.socket(), time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	var out bytes.Buffer
	for _, c := range commands {
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		if _, err := fmt.Fprintln(conn, c); err != nil {
			return out.String(), err
		}
		_, _ = out.ReadFrom(conn) // ends with the deadline
	}
	return out.String(), nil
}

// whereStuck asks twice for every processor's registers, writes the answers to
// the log and gives a line for each processor.
func (m *machine) whereStuck(q *monitor, log interface{ Write([]byte) (int, error) }) string {
	names := loadSymbols(m.kernel + ".elf")
	var lines []string
	for i := 0; i < 2; i++ {
		commands := []string{"info registers -a"}
		for cpu := 0; cpu < m.SMP && i == 0; cpu++ {
			commands = append(commands, "cpu "+strconv.Itoa(cpu), "info lapic")
		}
		said, err := q.ask(commands...)
		if err != nil {
			lines = append(lines, "monitor: "+err.Error())
		}
		fmt.Fprintf(log, "\n[monitor]\n%s\n", said)
		lines = append(lines, standing(said, names)...)
	}
	return strings.Join(lines, "\n")
}

var (
	cpuLine = regexp.MustCompile(`(?m)^CPU#(\d+)`)
	ripLine = regexp.MustCompile(`[RE]IP=([0-9a-f]+).*HLT=(\d)`)
)

// standing finds in "info registers -a" where each processor stands.
func standing(registers string, names symbols) []string {
	var lines []string
	at := cpuLine.FindAllStringSubmatchIndex(registers, -1)
	for i, m := range at {
		end := len(registers)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		rip := ripLine.FindStringSubmatch(registers[m[0]:end])
		if rip == nil {
			continue
		}
		pc, _ := strconv.ParseUint(rip[1], 16, 64)
		state := ""
		if rip[2] == "1" {
			state = ", halted"
		}
		lines = append(lines, fmt.Sprintf("CPU %s: %#x %s%s", registers[m[2]:m[3]], pc, names.at(pc), state))
	}
	return lines
}

// symbols are an image's functions by address.
type symbols []elf.Symbol

// loadSymbols reads an image's symbols; without the file there are none.
func loadSymbols(path string) symbols {
	f, err := elf.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	all, err := f.Symbols()
	if err != nil {
		return nil
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Value < all[j].Value })
	return all
}

func (s symbols) at(pc uint64) string {
	i := sort.Search(len(s), func(i int) bool { return s[i].Value > pc })
	if i == 0 || s[i-1].Size != 0 && pc >= s[i-1].Value+s[i-1].Size {
		return "?"
	}
	return fmt.Sprintf("%s+%#x", s[i-1].Name, pc-s[i-1].Value)
}
