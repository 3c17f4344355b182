package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// jsonl is the layout of JSON Lines: one JSON object (RFC 8259) in every line
// that is not blank.
type jsonl struct{ by string }

func (j *jsonl) names() []string { return nil }

const space = " \t\r"

func (j *jsonl) lead(data []byte, whole bool) (int, *flaw) {
	if j.by == "" {
		return 0, &flaw{what: "it does not say which field holds the subject",
			mend: "name the field that holds the subject with --subject" + likely(fields(data))}
	}
	n := 0
	if bytes.HasPrefix(data, bom) {
		n = len(bom)
	}
	return n + j.blanks(data[n:], whole), nil
}

func (j *jsonl) resume([]string) *flaw { return nil }

// fields returns the names of the fields of the first record.
func fields(data []byte) (names []string) {
	line := trimLine(data[:lineEnd(data, true)])
	if json.Valid(line) {
		walkObject(line, func(name []byte, _ []byte) { names = append(names, string(name)) })
	}
	return names
}

func (j *jsonl) blanks(data []byte, whole bool) (n int) {
	for n < len(data) {
		l := lineEnd(data[n:], whole)
		if l == 0 || len(bytes.Trim(data[n:n+l], space+"\n")) > 0 {
			return n
		}
		n += l
	}
	return n
}

func (j *jsonl) split(data []byte, ends []uint32, limit int, whole bool) []uint32 {
	for pos := 0; pos < len(data); {
		n := lineEnd(data[pos:], whole)
		if n == 0 {
			break
		}
		pos += n
		pos += j.blanks(data[pos:], whole)
		if ends = append(ends, uint32(pos)); len(ends) == limit {
			break
		}
	}
	return ends
}

func (j *jsonl) stuck([]byte) *flaw {
	return &flaw{what: "a record is longer than 16 MiB", mend: "put every object on a line of its own"}
}

func (j *jsonl) subject(record, _ []byte) ([]byte, *flaw) {
	line := bytes.Trim(record[:lineEnd(record, true)], space+"\n")
	if len(line) == 0 || line[0] != '{' || !json.Valid(line) {
		return nil, &flaw{what: "the line is not a JSON object", mend: "put one whole object on every line"}
	}
	var value []byte
	found := 0
	walkObject(line, func(name, v []byte) {
		if string(name) == j.by {
			found++
			value = v
		}
	})
	switch {
	case found > 1:
		return nil, &flaw{what: fmt.Sprintf("the field %q is there twice", j.by), mend: "leave one of the two out"}
	case found == 0 || string(value) == "null":
		return nil, &emptySubject
	}
	value, kind := decode(value)
	switch {
	case kind != scalar:
		return nil, &flaw{what: fmt.Sprintf("the field %q is neither a string nor a number", j.by), mend: "give the subject as a string or a number"}
	case len(bytes.TrimSpace(value)) == 0:
		return nil, &emptySubject
	}
	return value, nil
}

func (j *jsonl) columns(record []byte, fn func(name string, value []byte, kind kind)) {
	walkObject(bytes.Trim(record[:lineEnd(record, true)], space+"\n"), func(name, raw []byte) {
		v, k := decode(raw)
		fn(string(name), v, k)
	})
}

// decode returns the value of a string, the text of a number, and what else a
// value is.
func decode(raw []byte) ([]byte, kind) {
	switch raw[0] {
	case '"':
		return decodeString(raw), scalar
	case '{', '[':
		return raw, nested
	case 't', 'f':
		return raw, truth
	case 'n':
		return nil, absent
	}
	return raw, scalar
}

func decodeString(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		panic("a string of a valid object is not one") // callers have asked json.Valid
	}
	return []byte(s)
}

// walkObject calls fn with the name and the raw value of each field of an
// object. The object is valid JSON, which makes this as simple as it is.
func walkObject(object []byte, fn func(name, value []byte)) {
	pos := 1
	for {
		pos = skipSpace(object, pos)
		if object[pos] == ',' {
			pos = skipSpace(object, pos+1)
		}
		if object[pos] == '}' {
			return
		}
		end := skipString(object, pos)
		name := decodeString(object[pos:end])
		pos = skipSpace(object, skipSpace(object, end)+1) // the colon
		end = skipValue(object, pos)
		fn(name, object[pos:end])
		pos = end
	}
}

func skipSpace(b []byte, pos int) int {
	for b[pos] == ' ' || b[pos] == '\t' || b[pos] == '\r' || b[pos] == '\n' {
		pos++
	}
	return pos
}

// skipString returns the index after the string that begins at pos.
func skipString(b []byte, pos int) int {
	for pos++; b[pos] != '"'; pos++ {
		if b[pos] == '\\' {
			pos++
		}
	}
	return pos + 1
}

// skipValue returns the index after the value that begins at pos.
func skipValue(b []byte, pos int) int {
	switch b[pos] {
	case '"':
		return skipString(b, pos)
	case '{', '[':
		for depth := 0; ; {
			switch b[pos] {
			case '"':
				pos = skipString(b, pos)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			if pos++; depth == 0 {
				return pos
			}
		}
	}
	for {
		switch b[pos] {
		case ',', '}', ' ', '\t', '\r', '\n':
			return pos
		}
		pos++
	}
}
