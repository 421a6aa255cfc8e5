// Command ringoctl is the administrator's command line, for an ordinary PC.
// It makes and checks bundles, what a node boots with.
//
//	ringoctl bundle make -o FILE [-files DIR] DIR|ringo.yaml
//	ringoctl bundle check FILE
//	ringoctl bundle list FILE
//	ringoctl version
//	ringoctl help [COMMAND]
//
// It exits with 0 if all went well, 1 if what was asked cannot be done, and
// 2 if it was called wrongly.
//
// Imports allowed: api.
package main
