package trace

import (
	"errors"
	"fmt"
	"io"
)

// ErrFew says that a log has too few exits to tell what one costs.
var ErrFew = errors.New("too few exits in the log")

// minSame is how many exits must have gone the same way.
const minSame = 8

// Path is what the host executes between leaving a guest and entering it
// again.
type Path struct {
	Instructions int
	Counts       [NumClasses]int // Counts[ClassPlain] is the rest
	Unknown      int             // of the rest: instructions whose bytes the log lacks
	Seen         int             // exits of the log that went exactly this way
	Exits        int             // all complete exits of the log
}

// CountQEMU finds the most common path of a log of QEMU, instruction by
// instruction.
func CountQEMU(log io.Reader) (Path, error) { return count(log, readQEMU) }

// CountBochs does it for what Bochs' debugger prints with "trace on". The first
// instruction traced must be the guest's.
func CountBochs(log io.Reader) (Path, error) { return count(log, readBochs) }

func count(log io.Reader, read func(io.Reader, func(step)) error) (Path, error) {
	paths := map[uint64]*Path{}
	c := counter{done: func(key uint64, p Path) {
		known := paths[key]
		if known == nil {
			known = &p
			paths[key] = known
		}
		known.Seen++
	}}
	if err := read(log, c.step); err != nil {
		return Path{}, err
	}
	best, exits := Path{}, 0
	for _, p := range paths {
		exits += p.Seen
		if p.Seen > best.Seen {
			best = *p
		}
	}
	best.Exits = exits
	if best.Seen < minSame {
		return best, fmt.Errorf("%w: %d exits, %d of them alike, %d needed", ErrFew, exits, best.Seen, minSame)
	}
	if best.Unknown > 0 {
		return best, fmt.Errorf("%w: it lacks the bytes of %d executed instructions", ErrLog, best.Unknown)
	}
	return best, nil
}

// counter cuts the stream of instructions into paths. What comes before the
// first guest instruction is no whole path.
type counter struct {
	done    func(key uint64, p Path)
	started bool // a guest instruction was seen
	inHost  bool
	key     uint64 // hash of the addresses
	path    Path
}

func (c *counter) step(s step) {
	switch {
	case s.guest && c.inHost:
		c.done(c.key, c.path)
		fallthrough
	case s.guest:
		c.started, c.inHost = true, false
		c.key, c.path = hashStart, Path{}
	case c.started:
		c.inHost = true
		c.key = (c.key ^ s.pc) * hashPrime
		c.path.Instructions++
		c.path.Counts[s.class]++
		if !s.known {
			c.path.Unknown++
		}
	}
}

// Constants of the FNV-1a hash.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)
