// Command breaks has a function for each rule of nucleus code that breaks it,
// and one that breaks none. The tests of nucleusrules link it and never run it.
//
// Imports allowed: the standard library only.
package main
