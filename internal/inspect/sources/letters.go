package sources

import (
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format/python"
)

// odd notes a name in which Python reads other letters than people see: it takes
// identifiers in Unicode's normal form NFKC (reference, "Names").
func (c *code) odd(name string, at python.Place) {
	if len(c.strange) < maxDeeds && strings.ContainsFunc(name, compatible) {
		c.strange = append(c.strange, at)
	}
}

// compatible reports whether r is in a block of letters that are other letters
// in another style.
func compatible(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return false
	case r >= 0x1D400 && r <= 0x1D7FF, // mathematical
		r >= 0xFF21 && r <= 0xFF5A,       // of full width
		r >= 0xFB00 && r <= 0xFB06,       // ligatures
		r >= 0x2100 && r <= 0x218F,       // letters as symbols and numerals
		r >= 0x1D2C && r <= 0x1D6A,       // raised and lowered
		r >= 0x2070 && r <= 0x209C,       //
		r >= 0x02B0 && r <= 0x02B8,       //
		r == 0xAA, r == 0xBA, r == 0x17F, // ordinal signs, long s
		r >= 0x01C4 && r <= 0x01CC: // digraphs
		return true
	}
	return false
}

// fold makes plain letters of the two blocks that hold a whole alphabet, so that
// what is written in them is known for what it does.
func fold(name string) string {
	if !strings.ContainsFunc(name, compatible) {
		return name
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF21 && r <= 0xFF5A:
			return r - 0xFEE0
		case r >= 0x1D400 && r <= 0x1D6A3:
			i := (r - 0x1D400) % 52
			if i < 26 {
				return 'A' + i
			}
			return 'a' + i - 26
		}
		return r
	}, name)
}
