// Package snapshot is the versioned encoding in which devices and vCPUs save
// their state. A state is an explicit structure apart from the live one; its
// Schema names it and its version, so that a newer node reads what an older
// one wrote, and an unknown field or version is an error, never a guess.
//
// Imports allowed: none of the project.
package snapshot
