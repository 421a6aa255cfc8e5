// Package bundle reads and writes bundles. A bundle is what a node boots
// with: one cpio archive that holds ringo.yaml (the node's settings and its
// VM definitions) and the files that ringo.yaml names.
//
// Parse works on bytes alone, so the image uses it before any storage is
// there, and the contents of files are slices of the archive. It is safe on
// hostile input: sizes are checked before use, nothing is allocated by a
// length that the input claims, and the depth of the YAML is bounded. It
// reports every problem that it finds, each with file, line and key.
//
// docs/bundle.md describes every key.
//
// Imports allowed: nothing of the project.
//
// Sources: cpio(5) section "New ASCII Format"; Linux
// Documentation/driver-api/early-userspace/buffer-format.rst; YAML 1.2.2.
package bundle
