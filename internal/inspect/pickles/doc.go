// Package pickles judges Python pickles without loading them: what they name,
// what they call with which arguments, and whose state they set.
//
// A name passes only if the allow lists hold exactly it, and only if it is used
// as its contract there says. Lists and contracts are data with their source and
// reason (folders reviewed and globals); a list of names that have no place in a
// model (denied.txt) makes a finding worse and nothing else: nothing passes for
// not being on it.
package pickles
