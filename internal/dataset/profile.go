package dataset

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"unicode/utf8"
)

// A profile is what the sampled records told: counts for each column, of which
// a Schema is made. Profiles of a version and of what extends it add up.
type profile struct {
	Sampled int64    `json:"sampled"`
	More    int      `json:"more,omitempty"`
	Columns []counts `json:"columns"`

	at map[string]int // index of each column
}

// counts are what the sampled values of one column were.
type counts struct {
	Name  string           `json:"name"`
	Types map[Type]int64   `json:"types"`
	As    map[string]int64 `json:"as"` // missing, by how that is written
	Mails int64            `json:"mails,omitempty"`
	Calls int64            `json:"calls,omitempty"`
	Least []byte           `json:"least"` // the smallest hashes of values, for the number of different ones
}

const (
	samplesOfFirst   = 4096 // records of the first window, which is all there is of a small table
	samplesPerWindow = 256  // of every later one
	maxColumns       = 1000
	maxLeast         = 256 // hashes kept: the number of distinct values is good to about 1 in 16
)

// look takes a record into account. The hashes are keyed, so that a profile
// does not tell values even to somebody who tries them out.
func (p *profile) look(l layout, record []byte, hashes *tagger) {
	p.Sampled++
	l.columns(record, func(name string, value []byte, k kind) {
		c := p.column(name)
		if c == nil {
			return
		}
		trimmed := string(bytes.TrimSpace(value[:min(len(value), maxScanned)]))
		if k == absent || k == scalar && slices.Contains(missing, trimmed) {
			if k == absent {
				trimmed = "null"
			}
			c.As[trimmed]++
			return
		}
		t, mail, phone := classify(bytes.TrimSpace(value), k)
		c.Types[t]++
		if mail {
			c.Mails++
		}
		if phone {
			c.Calls++
		}
		c.note(hashes.tag(value))
	})
}

// column returns the counts of a column; nil if there are too many columns.
func (p *profile) column(name string) *counts {
	if p.at == nil {
		p.at = make(map[string]int, len(p.Columns))
		for i, c := range p.Columns {
			p.at[c.Name] = i
		}
	}
	i, ok := p.at[name]
	if !ok {
		if len(p.Columns) == maxColumns || !utf8.ValidString(name) {
			p.More++
			return nil
		}
		i = len(p.Columns)
		p.at[name] = i
		p.Columns = append(p.Columns, counts{Name: name, Types: map[Type]int64{}, As: map[string]int64{}})
	}
	return &p.Columns[i]
}

// note keeps h if it is among the smallest hashes.
func (c *counts) note(h uint64) {
	i := 0
	for ; i < len(c.Least); i += 8 {
		if o := binary.BigEndian.Uint64(c.Least[i:]); o == h {
			return
		} else if o > h {
			break
		}
	}
	if i == 8*maxLeast {
		return
	}
	c.Least = slices.Insert(c.Least, i, binary.BigEndian.AppendUint64(nil, h)...)
	c.Least = c.Least[:min(len(c.Least), 8*maxLeast)]
}

// forget drops h from the smallest hashes, if it is there.
func (c *counts) forget(h uint64) {
	for i := 0; i < len(c.Least); i += 8 {
		if binary.BigEndian.Uint64(c.Least[i:]) == h {
			c.Least = slices.Delete(c.Least, i, i+8)
			return
		}
	}
}

// distinct estimates how many different values there were: exactly if there
// are few, otherwise from how densely the smallest hashes lie.
func (c *counts) distinct() int64 {
	if len(c.Least) < 8*maxLeast {
		return int64(len(c.Least) / 8)
	}
	last := float64(binary.BigEndian.Uint64(c.Least[8*(maxLeast-1):]))
	return min(c.values(), int64((maxLeast-1)*math.Exp2(64)/last))
}

func (c *counts) values() (n int64) {
	for _, v := range c.Types {
		n += v
	}
	return n
}

// plus returns the profile of what p and o were made from.
func (p *profile) plus(o *profile) *profile {
	sum := &profile{More: max(p.More, o.More)}
	for _, part := range []*profile{p, o} {
		sum.Sampled += part.Sampled
		for _, c := range part.Columns {
			if into := sum.column(c.Name); into != nil {
				into.add(&c)
			}
		}
	}
	return sum
}

func (c *counts) add(o *counts) {
	for t, n := range o.Types {
		c.Types[t] += n
	}
	for s, n := range o.As {
		c.As[s] += n
	}
	c.Mails += o.Mails
	c.Calls += o.Calls
	for i := 0; i < len(o.Least); i += 8 {
		c.note(binary.BigEndian.Uint64(o.Least[i:]))
	}
}

func (p *profile) sound() bool {
	if p.Sampled < 0 || p.More < 0 || len(p.Columns) > maxColumns {
		return false
	}
	for _, c := range p.Columns {
		if len(c.Least)%8 != 0 || len(c.Least) > 8*maxLeast {
			return false
		}
	}
	return true
}

// column returns what a schema says of c.
func (c *counts) column(sampled int64, subject string) Column {
	values, distinct := c.values(), c.distinct()
	out := Column{Name: c.Name, Type: c.kind(values, distinct), Distinct: distinct, Subject: c.Name == subject, As: map[string]int{}}
	for s, n := range c.As {
		out.As[s] = int(n)
	}
	if sampled > 0 {
		out.Missing = float64(sampled-values) / float64(sampled)
	}
	// A code with a handful of values tells nobody apart, whatever its name.
	if identifying.MatchString(c.Name) && (values < 20 || distinct > values/10) {
		out.Flags = append(out.Flags, "by its name")
	}
	unmeasured := out.Type == Number || out.Type == Nested || out.Type == Boolean
	if values >= 20 && !unmeasured && float64(distinct) > 0.8*float64(values) {
		out.Flags = append(out.Flags, "almost every value is unique")
	}
	if c.Mails > 0 && 10*c.Mails >= values {
		out.Flags = append(out.Flags, "e-mail addresses")
	}
	if c.Calls > 0 && 2*c.Calls >= values {
		out.Flags = append(out.Flags, "telephone numbers")
	}
	return out
}

// kind returns the narrowest type that fits all values.
func (c *counts) kind(values, distinct int64) Type {
	types := slices.Sorted(maps.Keys(c.Types))
	switch {
	case values == 0:
		return Empty
	case len(types) == 1 && types[0] != Text:
		return types[0]
	case slices.Equal(types, []Type{Integer, Number}):
		return Number
	case slices.Equal(types, []Type{Date, Timestamp}):
		return Timestamp
	case c.Types[Nested] > 0:
		return Nested
	case distinct <= 50 && 4*distinct <= values:
		return Category
	}
	return Text
}
