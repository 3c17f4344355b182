package protobuf

import "github.com/sallyport/sallyport/internal/format"

// A Column yields the values of one repeated field of a message, packed or not.
// It has a cursor of its own, so that several columns can be read side by side.
type Column struct {
	Value Value // of the field that the last value stood in
	Err   error

	walk    *Walk
	field   string
	at, end int64 // of packed numbers that remain
}

// Column begins to read the repeated field called name.
func (m Part) Column(name string) *Column {
	doc := &Doc{Step: m.doc.Step, r: m.doc.r, c: format.NewCursor(m.doc.r, m.Off, m.Size)}
	m.doc, m.told = doc, true
	return &Column{walk: m.Walk(), field: name}
}

// Next moves to the next value; bits is it if it is a number. It returns false
// at the end and at an error.
func (c *Column) Next() (bits uint64, ok bool) {
	for c.at >= c.end {
		if c.Err != nil || !c.walk.Next() {
			if c.Err == nil {
				c.Err = c.walk.Err
			}
			return 0, false
		}
		c.Value = c.walk.Value
		switch v := c.Value; {
		case !v.Is(c.field):
		case v.Packed:
			c.at, c.end = v.Off, v.Off+v.Size
		default:
			return uint64(v.Int()), true
		}
	}
	c.at, bits, c.Err = c.Value.number(c.at)
	if c.Err == nil && c.at > c.end {
		c.Err = format.Brokenf(c.Value.Off, "packed numbers end within one")
	}
	if c.Err != nil {
		c.end = c.at
		return 0, false
	}
	return bits, true
}
