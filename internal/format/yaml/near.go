package yaml

import (
	"fmt"
	"strings"
)

// Suggest says which of names the writer of s may have meant, or lists them.
func Suggest(s string, names []string) string {
	if near := Nearest(s, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	const most = 12
	if len(names) > most {
		return fmt.Sprintf("choose from %s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return "choose from " + strings.Join(names, ", ")
}

// Nearest returns the name that takes the fewest edits to reach from s, if
// those are few for its length, or nothing.
func Nearest(s string, names []string) string {
	best, least := "", 0
	for _, name := range names {
		d := edits(strings.ToLower(s), strings.ToLower(name))
		if d <= 1+len(name)/4 && d < max(len(name), len(s)) && (best == "" || d < least) {
			best, least = name, d
		}
	}
	return best
}

// edits is the Levenshtein distance between a and b in bytes. Both are cut to
// 64 bytes, so that hostile names cost nothing.
func edits(a, b string) int {
	a, b = a[:min(64, len(a))], b[:min(64, len(b))]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
