package snapshot

import "fmt"

// String gives "name/version".
func (s Schema) String() string { return fmt.Sprintf("%s/%d", s.Name, s.Version) }

// Require compares the schema of a saved state with the one its reader
// knows. A Restore that reads older versions too checks the version itself.
func (s Schema) Require(want Schema) error {
	if s == want {
		return nil
	}
	return fmt.Errorf("%w: saved state is %q, this build reads %q: restore it with a build that knows that version", ErrSchema, s, want)
}
