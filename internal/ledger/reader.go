package ledger

import (
	"strconv"
	"strings"
	"time"
)

// A reader takes a leaf apart from its start. Its methods take the literal that
// comes first and return the value behind it; once something is not as it must
// be, bad is set and stays.
type reader struct {
	rest string
	bad  bool
}

// has skips a literal if it comes next, and reports whether it did.
func (r *reader) has(literal string) (found bool) {
	r.rest, found = strings.CutPrefix(r.rest, literal)
	return found
}

func (r *reader) want(literal string) {
	if !r.has(literal) {
		r.bad = true
	}
}

func (r *reader) number(literal string) int64 {
	r.want(literal)
	end := strings.IndexFunc(r.rest, func(c rune) bool { return c < '0' || c > '9' })
	digits := r.rest[:max(end, 0)]
	r.rest = r.rest[len(digits):]
	n, err := strconv.ParseInt(digits, 10, 64)
	r.bad = r.bad || err != nil
	return n
}

func (r *reader) time(literal string) time.Time {
	t, err := time.Parse(timeForm, r.text(literal))
	r.bad = r.bad || err != nil
	return t
}

// text reads a string as quote writes it.
func (r *reader) text(literal string) string {
	r.want(literal)
	r.want(`"`)
	end := strings.IndexAny(r.rest, `"\`)
	if end >= 0 && r.rest[end] == '"' { // nothing is escaped, as nearly always
		s := r.rest[:end]
		r.rest = r.rest[end+1:]
		return s
	}
	var b strings.Builder
	for i := 0; i < len(r.rest); i++ {
		switch r.rest[i] {
		case '"':
			r.rest = r.rest[i+1:]
			return b.String()
		case '\\':
			i++
		}
		if i < len(r.rest) {
			b.WriteByte(r.rest[i])
		}
	}
	r.bad = true
	return ""
}
