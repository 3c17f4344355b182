package advisory

import (
	"cmp"
	"slices"

	"github.com/sallyport/sallyport/internal/pep440"
)

// A change is the word of an OSV range for what happens at a version.
type change uint8

// The changes. Their names are those of the schema.
const (
	introduced change = iota
	fixed
	lastAffected
	limit
)

var changes = [...]string{"introduced", "fixed", "last_affected", "limit"}

// An event is a version at which something changes. A zero version is the
// beginning of all ("introduced": "0"), or no limit at all ("limit": "*").
type event struct {
	change  change
	version pep440.Version
}

// spans returns the positions that a range of events holds.
//
// Source: OSV schema, "Evaluation". The events come in any order. A range that
// does not say where it begins holds everything up to its first event. Where one
// part ends at the very version at which another begins, the version is as those
// before it: "[0,1.2) and [1.2,1.5)" has no hole, and "[1.2,1.2)" is empty.
func spans(events []event, o order) []span {
	type turn struct {
		at position
		on bool
	}
	var turns []turn
	begun, limits, most := false, false, 0
	for _, e := range events {
		at := 0
		if !e.version.IsZero() {
			at = o.find(e.version)
		}
		switch e.change {
		case introduced:
			begun = true
			turns = append(turns, turn{at, true})
		case fixed:
			turns = append(turns, turn{at, false})
		case lastAffected:
			turns = append(turns, turn{at + 1, false})
		case limit:
			limits = true
			if e.version.IsZero() {
				at = o.end()
			}
			most = max(most, at)
		}
	}
	if !begun {
		turns = append(turns, turn{0, true})
	}
	if !limits {
		most = o.end()
	}
	slices.SortFunc(turns, func(a, b turn) int { return cmp.Compare(a.at, b.at) })
	var out []span
	affected, since := false, 0
	for i := 0; i < len(turns); {
		at, on, off := turns[i].at, false, false
		for ; i < len(turns) && turns[i].at == at; i++ {
			on, off = on || turns[i].on, off || !turns[i].on
		}
		switch {
		case on && off || on == affected:
		case on:
			affected, since = true, at
		default:
			affected = false
			out = append(out, span{since, min(at, most)})
		}
	}
	if affected {
		out = append(out, span{since, most})
	}
	return out
}
