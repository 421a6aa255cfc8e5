// Package archtest holds the tree to docs/architecture.md: who may import
// whom, where unsafe may be, that every package says what it is, and that no
// file tells of the machine that it was written on.
//
// The rules are functions over plain data, so that their own tests can show
// that each of them fails when it should.
//
// Imports allowed: nothing of the project.
package archtest
