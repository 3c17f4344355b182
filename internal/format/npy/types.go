package npy

import "strings"

// sizeOf returns how many bytes an element of a type has, and whether it holds
// Python objects. A type is a string, a list of fields, or a type with a shape.
func sizeOf(v *value) (size int64, objects bool, err error) {
	switch {
	case v.kind == str:
		return simple(v)
	case v.kind == list && len(v.items) > 0:
		for _, field := range v.items {
			n, o, err := fieldSize(field)
			if err != nil {
				return 0, false, err
			}
			if size += n; size < 0 {
				return 0, false, v.broken("an element is larger than any file")
			}
			objects = objects || o
		}
		return size, objects, nil
	case v.kind == tuple && len(v.items) == 2:
		return shaped(v.items[0], v.items[1])
	}
	return 0, false, v.broken("a type is of a kind that headers do not have")
}

// fieldSize reads a field: a name, or a title and a name; a type; and perhaps a
// shape.
func fieldSize(v *value) (int64, bool, error) {
	if v.kind != tuple || len(v.items) < 2 || len(v.items) > 3 {
		return 0, false, v.broken("a field is not a name and a type")
	}
	name := v.items[0]
	titled := name.kind == tuple && len(name.items) == 2 && name.items[0].kind == str && name.items[1].kind == str
	if name.kind != str && !titled {
		return 0, false, name.broken("a field is not a name and a type")
	}
	if len(v.items) == 2 {
		return sizeOf(v.items[1])
	}
	return shaped(v.items[1], v.items[2])
}

// shaped is a type that is there as often as a shape says.
func shaped(element, shape *value) (int64, bool, error) {
	size, objects, err := sizeOf(element)
	if err != nil {
		return 0, false, err
	}
	dims := []int64{shape.n}
	switch {
	case shape.kind == tuple:
		dims, err = shapeOf(shape)
	case shape.kind != integer || shape.n < 0:
		err = shape.broken("a dimension is not a number of elements")
	}
	if err != nil {
		return 0, false, err
	}
	n, ok := product(dims)
	total, ok2 := times(n, size)
	if !ok || !ok2 {
		return 0, false, shape.broken("an element is larger than any file")
	}
	return total, objects, nil
}

// widths are the sizes that each kind of number comes in.
var widths = map[byte]string{'b': "1", 'i': "1 2 4 8", 'u': "1 2 4 8", 'f': "2 4 8 10 12 16", 'c': "8 16 20 24 32", 'm': "8", 'M': "8"}

// simple reads a type such as "<f8", "|S12" or "<M8[ns]".
func simple(v *value) (size int64, objects bool, err error) {
	wrong := v.broken("a type is not one of NumPy's")
	s := strings.TrimLeft(v.text, "<>|=")
	if len(v.text)-len(s) > 1 || s == "" {
		return 0, false, wrong
	}
	kind, digits := s[0], s[1:]
	if i := strings.IndexByte(digits, '['); i >= 0 && (kind == 'm' || kind == 'M') {
		if !unit(digits[i:]) {
			return 0, false, wrong
		}
		digits = digits[:i]
	}
	if kind == 'O' {
		if digits != "" && digits != "4" && digits != "8" {
			return 0, false, wrong
		}
		return 8, true, nil
	}
	n, ok := number(digits)
	if !ok {
		return 0, false, wrong
	}
	switch allowed, fixed := widths[kind]; {
	case fixed:
		for w := range strings.FieldsSeq(allowed) {
			if w == digits {
				return n, false, nil
			}
		}
	case kind == 'U' && n < 1<<31:
		return 4 * n, false, nil
	case (kind == 'S' || kind == 'a' || kind == 'V') && n < 1<<31:
		return n, false, nil
	}
	return 0, false, wrong
}

// unit reports whether s is a unit of time in brackets: "[ns]", "[25us]",
// "[D]".
func unit(s string) bool {
	s, ok := strings.CutSuffix(strings.TrimPrefix(s, "["), "]")
	s = strings.TrimLeft(s, "0123456789")
	if multiple, divisor, found := strings.Cut(s, "/"); found {
		s = multiple
		if _, ok := number(divisor); !ok {
			return false
		}
	}
	switch s {
	case "Y", "M", "W", "D", "h", "m", "s", "ms", "us", "μs", "ns", "ps", "fs", "as", "generic":
		return ok
	}
	return false
}

// number reads decimal digits, without a zero before them, as Python wants it.
func number(s string) (int64, bool) {
	if s == "" || len(s) > 18 || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}
