// Package lazyregexp compiles regular expressions when they are first used.
// The sandbox starts by running this program again, for every stage, and must
// not wait for the expressions of packages that it does not use.
package lazyregexp

import (
	"regexp"
	"sync"
)

// A Regexp is a regular expression that is compiled at its first use. It is
// safe for concurrent use.
type Regexp struct{ get func() *regexp.Regexp }

// New returns the expression. A mistake in it panics at its first use, which a
// test of the package that holds it comes to.
func New(expr string) *Regexp {
	return &Regexp{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })}
}

// Get returns the compiled expression.
func (r *Regexp) Get() *regexp.Regexp { return r.get() }

// MatchString reports whether s holds a match.
func (r *Regexp) MatchString(s string) bool { return r.get().MatchString(s) }

// FindString returns the leftmost match in s, or "".
func (r *Regexp) FindString(s string) string { return r.get().FindString(s) }

// FindStringIndex returns where the leftmost match in s begins and ends, or nil.
func (r *Regexp) FindStringIndex(s string) []int { return r.get().FindStringIndex(s) }

// FindStringSubmatchIndex returns where the leftmost match in s and its groups
// begin and end, or nil.
func (r *Regexp) FindStringSubmatchIndex(s string) []int { return r.get().FindStringSubmatchIndex(s) }

// FindAllStringSubmatch returns the first n matches in s with their groups, or
// all if n is below 0.
func (r *Regexp) FindAllStringSubmatch(s string, n int) [][]string {
	return r.get().FindAllStringSubmatch(s, n)
}

// FindStringSubmatch returns the leftmost match in s and its groups, or nil.
func (r *Regexp) FindStringSubmatch(s string) []string { return r.get().FindStringSubmatch(s) }

// ReplaceAllString returns s with every match replaced by repl.
func (r *Regexp) ReplaceAllString(s, repl string) string { return r.get().ReplaceAllString(s, repl) }
