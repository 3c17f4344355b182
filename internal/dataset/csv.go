package dataset

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// csv is the layout of RFC 4180 with any one-byte delimiter. It is strict
// about quotes: text that some readers cut into other records than this one
// would leave a person's data behind when it is erased.
type csv struct {
	delim  byte
	by     string   // the subject's column
	header []string // the names of all columns
	column int      // the index of the subject's
}

func (c *csv) names() []string { return c.header }

// use sets the columns and finds the subject's among them. Names that are not
// UTF-8 are made so, because documents keep them as JSON; the header itself is
// kept as it is.
func (c *csv) use(header []string) *flaw {
	c.header = header
	seen := make(map[string]bool, len(header))
	for i, name := range header {
		name = strings.ToValidUTF8(name, "\ufffd")
		header[i] = name
		if seen[name] {
			return &flaw{what: fmt.Sprintf("the column %q is there twice", name), mend: "give every column its own name"}
		}
		seen[name] = true
	}
	if c.column = slices.Index(header, c.by); c.by == "" || c.column < 0 {
		f := &flaw{what: fmt.Sprintf("there is no column %q to find the subject in", c.by)}
		if c.by == "" {
			f.what = "it does not say which column holds the subject"
		}
		f.mend = "name the column that holds the subject with --subject" + likely(header)
		return f
	}
	return nil
}

var identifying = lazyregexp.New(`(?i)(^|[_\W])(id|nbr|number|no|nr|key|uuid|mrn|ssn|nhs|pid|eid|name|surname|email|mail|e-mail|phone|tel|mobile|zip|postcode|postal|address|street|birth|birthdate|dob|iban|passport|licen[cs]e|insurance_no|patient|subject|person|participant|user|member|client|customer)([_\W]|$)|(Id|ID|Name|Email|Phone|Birth)$`)

// likely names the columns that look like a subject's.
func likely(header []string) string {
	var names []string
	for _, n := range header {
		if identifying.MatchString(n) {
			names = append(names, n)
		}
	}
	switch {
	case len(names) > 0:
		return "; these look like one: " + strings.Join(names[:min(8, len(names))], ", ")
	case len(header) > 0:
		return "; the columns are: " + strings.Join(header[:min(20, len(header))], ", ")
	}
	return ""
}

func (c *csv) lead(data []byte, whole bool) (int, *flaw) {
	n := 0
	if bytes.HasPrefix(data, bom) {
		n = len(bom)
	}
	n += c.blanks(data[n:], whole)
	line := bytes.Count(data[:n], []byte("\n"))
	ends := c.split(data[n:], nil, 1, whole)
	if len(ends) == 0 {
		f := &flaw{what: "there is no header", mend: "the first line must name the columns"}
		if len(data) > n {
			f = c.stuck(data[n:])
		}
		f.line += line
		return 0, f
	}
	record := data[n : n+int(ends[0])]
	if i := bytes.IndexByte(record, '\r'); i >= 0 && i+1 < len(record) && !bytes.Contains(record, []byte("\n")) {
		return 0, &flaw{line: line, what: "its lines end with a carriage return alone", mend: "convert the line ends to those of Unix"}
	}
	var header []string
	_, f := c.walk(record, func(_ int, raw []byte, quoted bool) { header = append(header, string(unquote(raw, quoted, nil))) })
	if f == nil {
		f = c.use(header)
	}
	if f != nil {
		f.line += line
		return 0, f
	}
	return n + int(ends[0]), nil
}

func (c *csv) resume(names []string) *flaw { return c.use(names) }

func (c *csv) blanks(data []byte, whole bool) (n int) {
	for {
		b := blank(data[n:], whole)
		if b == 0 {
			return n
		}
		n += b
	}
}

// split relies on this: where quotes are used as they should be, a newline ends
// a record if and only if an even number of quotes stands before it. Whether
// they are so used, subject checks for every record.
func (c *csv) split(data []byte, ends []uint32, limit int, whole bool) []uint32 {
	quote := indexByte(data, 0, '"') // the first at or after pos
	open, pos := false, 0
	for pos < len(data) {
		n := lineEnd(data[pos:], whole)
		if n == 0 {
			break
		}
		pos += n
		if quote < pos {
			odd := bytes.Count(data[quote:pos], []byte{'"'})%2 == 1
			open = open != odd
			quote = indexByte(data, pos, '"')
		}
		if open {
			continue
		}
		pos += c.blanks(data[pos:], whole)
		quote = max(quote, pos)
		if ends = append(ends, uint32(pos)); len(ends) == limit {
			break
		}
	}
	return ends
}

// indexByte returns the index of the first c in data at or after from, or
// len(data).
func indexByte(data []byte, from int, c byte) int {
	if i := bytes.IndexByte(data[from:], c); i >= 0 {
		return from + i
	}
	return len(data)
}

func (c *csv) stuck(record []byte) *flaw {
	if _, f := c.walk(record, func(int, []byte, bool) {}); f != nil {
		return f
	}
	return &flaw{what: "a record is longer than 16 MiB", mend: "check its quotes and line ends"}
}

func (c *csv) subject(record, buf []byte) ([]byte, *flaw) {
	line := record[:lineEnd(record, true)]
	if bytes.IndexByte(line, '"') >= 0 {
		return c.quoted(record, buf)
	}
	line = trimLine(line)
	if n := bytes.Count(line, []byte{c.delim}) + 1; n != len(c.header) {
		return nil, c.ragged(n)
	}
	for range c.column {
		line = line[bytes.IndexByte(line, c.delim)+1:]
	}
	if i := bytes.IndexByte(line, c.delim); i >= 0 {
		line = line[:i]
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return nil, &emptySubject
	}
	return line, nil
}

// quoted is subject for records with quotes.
func (c *csv) quoted(record, buf []byte) ([]byte, *flaw) {
	var subject []byte
	n, f := c.walk(record, func(i int, raw []byte, quoted bool) {
		if i == c.column {
			subject = unquote(raw, quoted, buf)
		}
	})
	switch {
	case f != nil:
		return nil, f
	case n != len(c.header):
		return nil, c.ragged(n)
	case len(bytes.TrimSpace(subject)) == 0:
		return nil, &emptySubject
	}
	return subject, nil
}

func (c *csv) ragged(n int) *flaw {
	return &flaw{what: fmt.Sprintf("the record has %d fields and the header %d", n, len(c.header)),
		mend: "give every record as many fields as the header; a field with the delimiter in it stands in quotes"}
}

// walk calls field with every field of the record that data begins with, the
// outer quotes taken off, and returns how many there are.
func (c *csv) walk(data []byte, field func(i int, raw []byte, quoted bool)) (int, *flaw) {
	pos, line := 0, 0
	for i := 0; ; i++ {
		quoted := pos < len(data) && data[pos] == '"'
		start, end := pos, 0
		if quoted {
			start = pos + 1
			if end = closing(data, start); end < 0 {
				return 0, &flaw{line, "a quote opens here and is never closed",
					"close it; a quote inside a field is written twice"}
			}
			pos = end + 1
		} else {
			for pos < len(data) && data[pos] != c.delim && data[pos] != '\n' {
				if data[pos] == '"' {
					return 0, &flaw{line, "a quote stands inside a field that does not begin with one",
						"put the whole field in quotes and write the quote inside twice"}
				}
				pos++
			}
			end = pos
		}
		rest := data[pos:]
		switch {
		case len(rest) > 0 && rest[0] == c.delim:
			field(i, data[start:end], quoted)
			line += bytes.Count(data[start:end], []byte("\n"))
			pos++
			continue
		case quoted && len(rest) > 0 && rest[0] != '\n' && blank(rest, true) == 0:
			line += bytes.Count(data[start:end], []byte("\n"))
			return 0, &flaw{line, "text follows a quote that closes a field", "write a quote inside a field twice"}
		case quoted:
			field(i, data[start:end], true)
		default:
			field(i, bytes.TrimSuffix(data[start:end], []byte("\r")), false)
		}
		return i + 1, nil
	}
}

// closing returns the index of the quote that closes the field whose text
// begins at from, or -1.
func closing(data []byte, from int) int {
	for {
		i := bytes.IndexByte(data[from:], '"')
		if i < 0 {
			return -1
		}
		from += i
		if from+1 == len(data) || data[from+1] != '"' {
			return from
		}
		from += 2
	}
}

// unquote returns the value of a field; it may use buf.
func unquote(raw []byte, quoted bool, buf []byte) []byte {
	if !quoted || bytes.IndexByte(raw, '"') < 0 {
		return raw
	}
	out := buf[:0]
	for i := 0; i < len(raw); i++ {
		out = append(out, raw[i])
		if raw[i] == '"' {
			i++ // its double
		}
	}
	return out
}

func (c *csv) columns(record []byte, fn func(name string, value []byte, kind kind)) {
	c.walk(record, func(i int, raw []byte, quoted bool) {
		if i < len(c.header) {
			fn(c.header[i], unquote(raw, quoted, nil), scalar)
		}
	})
}
