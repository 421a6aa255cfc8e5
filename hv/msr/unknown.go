package msr

import "sync"

// unknownKinds bounds how many distinct accesses a Counter tells apart.
const unknownKinds = 64

// Counter counts accesses to registers that do not exist. It may be used by
// all vCPUs of a VM at once; a guest cannot make it grow.
type Counter struct {
	mu    sync.Mutex
	seen  []Access
	total uint64
}

// Access is one kind of access and how often it happened.
type Access struct {
	Number uint32
	Write  bool
	Count  uint64
}

// Note counts an access. It says how often this one has happened, and
// whether that is worth a line in the log: at 1, 10, 100 and so on.
func (c *Counter) Note(number uint32, write bool) (count uint64, log bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total++
	for i := range c.seen {
		if a := &c.seen[i]; a.Number == number && a.Write == write {
			a.Count++
			return a.Count, powerOfTen(a.Count)
		}
	}
	if len(c.seen) == unknownKinds {
		return c.total, powerOfTen(c.total)
	}
	c.seen = append(c.seen, Access{number, write, 1})
	return 1, true
}

// Total is the number of all accesses noted.
func (c *Counter) Total() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

func powerOfTen(n uint64) bool {
	for n >= 10 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}
