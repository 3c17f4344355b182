package dataset

import (
	"context"
	"slices"
)

// A listed file and where it is listed.
type listed struct {
	file
	inc    *increment
	window int
	entry  int
}

// A lister walks over the entries of one increment that the version still has.
type lister struct {
	c       *chain
	ctx     context.Context
	inc     *increment
	gone    map[[2]int]bool // window and entry
	window  int             // the next
	files   []file
	next    int
	current listed
	done    bool
}

func (l *lister) advance() error {
	for {
		for l.next < len(l.files) {
			i := l.next
			l.next++
			if !l.files[i].erased && !l.gone[[2]int{l.window - 1, i}] {
				l.current = listed{l.files[i], l.inc, l.window - 1, i}
				return nil
			}
		}
		if l.window == len(l.inc.Windows) {
			l.done = true
			return nil
		}
		if l.ctx.Err() != nil {
			return interrupted()
		}
		last := ""
		for i := len(l.files) - 1; i >= 0 && last == ""; i-- {
			last = l.files[i].path
		}
		var err error
		if l.files, err = l.c.listing(l.ctx, l.inc, l.window); err != nil {
			return err
		}
		first := slices.IndexFunc(l.files, func(f file) bool { return !f.erased })
		if first >= 0 && last != "" && comparePaths(last, l.files[first].path) >= 0 {
			return corrupt(l.inc.Ref(), "its listing is not in order")
		}
		l.window, l.next = l.window+1, 0
	}
}

// listing reads the listing of a window.
func (c *chain) listing(ctx context.Context, inc *increment, window int) ([]file, error) {
	w := inc.Windows[window]
	if w.Listing == 0 {
		return nil, corrupt(inc.Ref(), "a window has no listing")
	}
	segs, err := c.s.segments(ctx, inc.Version, []int{w.Listing - 1})
	if err != nil {
		return nil, err
	}
	buf := bodies.Get().(*[]byte)
	defer bodies.Put(buf)
	plain, err := c.s.Blobs.Read(segs[0], c.s.Ring, (*buf)[:0])
	if err != nil {
		return nil, err
	}
	*buf = plain
	body, err := inc.head(kindListing, window, 0).cut(plain)
	if err != nil {
		return nil, err
	}
	return parseListing(body, w.Records)
}

// A listing merges the listings of all increments into the version's own, in
// the order of paths. One window of each increment is in memory.
type merged struct{ heads []*lister }

func (c *chain) listings(ctx context.Context) (*merged, error) {
	m := new(merged)
	for _, inc := range c.all {
		l := &lister{c: c, ctx: ctx, inc: inc, gone: c.gone(inc)}
		if err := l.advance(); err != nil {
			return nil, err
		}
		if !l.done {
			m.heads = append(m.heads, l)
		}
	}
	return m, nil
}

// gone returns what the version has dropped of an increment.
func (c *chain) gone(inc *increment) map[[2]int]bool {
	gone := make(map[[2]int]bool)
	for _, d := range c.last.Dropped {
		if d.Version == inc.Version.Number {
			gone[[2]int{d.Window, d.Entry}] = true
		}
	}
	return gone
}

// peek returns the next entry, nil after the last.
func (m *merged) peek() *listed {
	if len(m.heads) == 0 {
		return nil
	}
	return &m.least().current
}

func (m *merged) least() *lister {
	return slices.MinFunc(m.heads, func(a, b *lister) int { return comparePaths(a.current.path, b.current.path) })
}

// skip moves on to the entry after the next.
func (m *merged) skip() error {
	l := m.least()
	if err := l.advance(); err != nil {
		return err
	}
	if l.done {
		m.heads = slices.DeleteFunc(m.heads, func(o *lister) bool { return o == l })
	}
	return nil
}
