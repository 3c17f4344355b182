package archives

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/internal/format/zip"
	"github.com/sallyport/sallyport/internal/inspect"
)

// maxSpans is how many parts of an archive are held against each other.
const maxSpans = 1 << 17

// A span is a part of an archive that one member takes up, or several that lie
// one behind another.
type span struct{ from, to int64 }

// spans are the parts of an archive that its members take up. As writers write
// it, an archive is one part, however many members it has.
type spans struct {
	list []span
	// inside is called with where a part begins that others reach into.
	inside func(at int64)
}

// add notes a part, or reports that there are too many.
func (s *spans) add(m span) bool {
	if n := len(s.list); n > 0 && s.list[n-1].to == m.from {
		s.list[n-1].to = m.to
		return true
	}
	if len(s.list) == maxSpans {
		if s.settle(); len(s.list) > maxSpans/2 {
			return false
		}
	}
	s.list = append(s.list, m)
	return true
}

// settle sorts the parts and joins those that touch or share bytes.
func (s *spans) settle() {
	slices.SortFunc(s.list, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	joined := s.list[:0]
	for _, m := range s.list {
		last := len(joined) - 1
		if last < 0 || m.from > joined[last].to {
			joined = append(joined, m)
			continue
		}
		if m.from < joined[last].to {
			s.inside(m.from)
		}
		joined[last].to = max(joined[last].to, m.to)
	}
	s.list = joined
}

// shared notes a member that begins inside another.
func (z *zipped) shared(at int64) {
	z.p.Find(z.f, inspect.Finding{Rule: ruleOverlap, Verdict: inspect.Suspicious, Offset: at, What: "zip",
		Why: "a member begins inside another; it was inspected at most once"})
	if len(z.twice) < maxTwice {
		z.twice[at] = false
	} else {
		z.loose = 1
	}
}

// layout finds bytes that belong to several members or to none.
func (z *zipped) layout() {
	z.spans.settle()
	if z.loose > 0 {
		z.large("places", fmt.Sprintf("members lie in more than %d parts of the archive, or more than %d share bytes, and not all were held against each other", maxSpans/2, maxTwice))
	} else {
		var end int64
		for i, s := range append(z.spans.list, span{z.a.Directory(), z.a.Directory()}) {
			if s.from > end && !(i == 0 && z.appended()) {
				z.gap(end, s.from)
			}
			end = s.to
		}
	}
	z.spans.list = nil
}

func (z *zipped) gap(from, to int64) {
	z.doubts([]zip.Doubt{{Off: from, Why: "bytes stand there that belong to no member in the directory: readers that go from the front may find members in them"}})
}

// appended reports whether the archive stands behind a TFLite model, where the
// model's own tools put its labels and vocabulary. The model is another reading
// of the file.
func (z *zipped) appended() bool {
	var b [8]byte
	_, err := z.f.ReadAt(b[:], 0)
	return err == nil && string(b[4:]) == "TFL3"
}
