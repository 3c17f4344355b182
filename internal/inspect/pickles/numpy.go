package pickles

import (
	"path"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/format/pickle"
	"github.com/sallyport/sallyport/internal/inspect"
)

// size is what the contract says of the bytes of an element.
func (e *entry) size() int32 {
	if e.use.kind != "storage" {
		return 0
	}
	n, _ := strconv.Atoi(e.use.mode)
	return int32(n)
}

// dtype is numpy.dtype(text, align, copy).
func dtype(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) == 0 || len(args) > 3 || !j.allPure(m, args[1:]) {
		return thing{}, "it takes a type code and two flags"
	}
	t := thing{entry: e, kind: "dtype", life: fresh}
	if args[0].Kind() == pickle.GlobalRef && j.shaped(m, 'v', args[0]) { // numpy.dtype(numpy.float64)
		return t, ""
	}
	var ok bool
	if t.size, t.objects, ok = typeCode(text(m, args[0])); !ok {
		return thing{}, "it is not given a type code"
	}
	return t, ""
}

// typeCode reads a code like "<f8", "U12" or "O8".
func typeCode(code string) (size int32, objects, ok bool) {
	code = strings.TrimLeft(code, "<>|=")
	if code == "" || code[0] < 'A' || code[0] > 'z' {
		return 0, false, code == "?"
	}
	digits, _, _ := strings.Cut(code[1:], "[") // M8[ns]
	n := 0
	if digits != "" {
		var err error
		if n, err = strconv.Atoi(digits); err != nil || n < 0 || n > 1<<28 {
			return 0, false, isName(code)
		}
	}
	switch code[0] {
	case 'U':
		return int32(4 * n), false, true
	case 'O':
		return 8, true, true
	}
	return int32(n), false, strings.ContainsRune("biufcmMSaVT?", rune(code[0]))
}

// isName reports whether a type code is one of the names that old writers use.
func isName(code string) bool {
	switch code {
	case "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "complex64", "complex128":
		return true
	}
	return false
}

// The flags of a dtype that tell numpy to handle its elements as objects.
const countedFlags = 0x01 | 0x02

// buildDtype judges the state (version, order, subarray, names, fields, size,
// alignment, flags). A type that holds objects and whose flags deny it would
// have numpy take bytes of the file for the addresses of objects.
func (j *judge) buildDtype(m *pickle.Machine, t thing, obj, state pickle.Value) string {
	parts, count := m.Items(state)
	if state.Kind() != pickle.Tuple || count != len(parts) || count < 5 || count > 9 {
		return "the state is none of a dtype"
	}
	flags := int64(0)
	if count >= 8 {
		flags, _ = m.Int(parts[7])
	}
	nested, why := j.fields(m, parts[2:5])
	if why != "" {
		return why
	}
	if objects := t.objects || nested; objects && count >= 8 && flags&countedFlags != countedFlags {
		return "a type that holds objects says that it does not"
	}
	t.objects = t.objects || nested
	if n, ok := m.Int(parts[min(5, count-1)]); ok && count >= 6 && n > 0 && n < 1<<28 {
		t.size = int32(n) // of text and of structures; it is -1 for the others
	}
	t.life = built
	m.SetTag(obj, j.tag(t))
	return ""
}

// fields judges the subarray, names and fields of a dtype and reports whether
// there are objects in them.
func (j *judge) fields(m *pickle.Machine, parts []pickle.Value) (objects bool, why string) {
	var walk func(v pickle.Value, depth int) string
	walk = func(v pickle.Value, depth int) string {
		t := j.thing(m, v)
		switch {
		case t.kind == "dtype" && t.life != named:
			objects = objects || t.objects
			return ""
		case m.Pure(v):
			return ""
		case depth > 4 || v.Kind() != pickle.Tuple && v.Kind() != pickle.Dict:
			return "a field of a dtype is of no dtype"
		}
		items, count := m.Items(v)
		if len(items) < count {
			objects = true // those that are not kept may be
		}
		for _, item := range items {
			if why := walk(item, depth+1); why != "" {
				return why
			}
		}
		return ""
	}
	for _, v := range parts {
		if why := walk(v, 0); why != "" {
			return false, why
		}
	}
	return objects, ""
}

// reconstruct is numpy's _reconstruct(class, shape, type): an empty array.
func reconstruct(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) < 3 || len(args) > 4 || !j.shaped(m, 'c', args[0]) || !m.Pure(args[len(args)-1]) && !j.shaped(m, 'B', args[len(args)-1]) {
		return thing{}, "it does not make an array of an allowed class"
	}
	for _, a := range args[1 : len(args)-1] {
		if !m.Pure(a) && !j.shaped(m, 'c', a) {
			return thing{}, "the shape of an array is no tuple of numbers"
		}
	}
	return thing{entry: e, kind: "array", life: fresh}, ""
}

// buildArray judges the state (version, shape, dtype, order, data).
func (j *judge) buildArray(m *pickle.Machine, t thing, obj, state pickle.Value) string {
	parts, count := m.Items(state)
	if state.Kind() != pickle.Tuple || count != len(parts) || count < 2 || count > 8 {
		return "the state is none of an array"
	}
	for _, v := range parts {
		switch of := j.thing(m, v); {
		case m.Pure(v), v.Kind() == pickle.List, v.Kind() == pickle.Tuple, v.Kind() == pickle.Dict:
		case of.entry != nil && of.life != named:
			t.objects = t.objects || of.kind == "dtype" && of.objects
		default:
			return "the state is none of an array"
		}
	}
	t.life = built
	m.SetTag(obj, j.tag(t))
	return ""
}

// fromBuffer is numpy's _frombuffer(bytes, dtype, shape, order).
func fromBuffer(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if why := j.fit(m, "Bdt/s", args); why != "" {
		return thing{}, why
	}
	if j.thing(m, args[1]).objects {
		return thing{}, "bytes are taken for the addresses of objects"
	}
	return thing{entry: e, kind: "array", life: built}, ""
}

// ufunc is numpy's _ufunc_reconstruct(module, name): an import, and so a name.
func ufunc(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) == 2 {
		if of, ok := lookup(text(m, args[0]), text(m, args[1])); ok && of.use.kind == "value" {
			return thing{entry: e, kind: "plain", life: fresh}, ""
		}
	}
	return thing{}, "the function that it imports is not allowed"
}

// bitGenerator is numpy.random's constructor of a generator by its name or class.
func bitGenerator(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) > 1 || len(args) == 1 && !j.shaped(m, 's', args[0]) && !j.shaped(m, 'v', args[0]) {
		return thing{}, "it is not given the name of a generator"
	}
	return thing{entry: e, kind: "object", life: fresh}, ""
}

// generator is numpy.random's constructor on top of the former, which it calls
// itself if it is given it.
func generator(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) > 2 {
		return thing{}, "it takes a generator and its constructor"
	}
	if len(args) > 0 && !j.shaped(m, 's', args[0]) && j.thing(m, args[0]).kind != "object" {
		return thing{}, "it is not given a generator"
	}
	if len(args) == 2 {
		if g, ok := m.Global(args[1]); !ok || g.Module != "numpy.random._pickle" || g.Name != "__bit_generator_ctor" {
			return thing{}, "the constructor is not numpy's own"
		}
	}
	return thing{entry: e, kind: "object", life: fresh}, ""
}

// newIndex is pandas's _new_Index(class, attributes).
func newIndex(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) != 2 || !j.shaped(m, 'c', args[0]) || args[1].Kind() != pickle.Dict {
		return thing{}, "what it makes is no index of an allowed class"
	}
	return thing{entry: e, kind: "object", life: fresh}, ""
}

// wrapper judges what stands for an array in a file of joblib's. The array's
// bytes follow the opcode, after as many as the byte behind it says where the
// writer aligns; objects follow as a pickle of their own. Writers before 0.10
// put the array into a file beside.
func (j *judge) wrapper(m *pickle.Machine, at pickle.At, t thing, obj, state pickle.Value) (pickle.Inline, string) {
	values := attributes(m, state)
	if values == nil {
		return pickle.Inline{}, "the state of an array's wrapper is no dict of its attributes"
	}
	t.life = built
	m.SetTag(obj, j.tag(t))
	if t.entry.name != "NumpyArrayWrapper" {
		if name := text(m, values["filename"]); name == "" || path.Base(name) != name || strings.ContainsAny(name, "\\:\x00") {
			j.report(m, at.Off, ruleNames, inspect.Suspicious, name, "the file of an array is not beside this one")
		}
		return pickle.Inline{}, ""
	}
	of := j.thing(m, values["dtype"])
	if of.kind != "dtype" || of.life == named || !j.shaped(m, 'c', values["subclass"]) {
		return pickle.Inline{}, "the array is of no known type"
	}
	if m.Depth() > 0 {
		return pickle.Inline{}, ""
	}
	if of.objects {
		return pickle.Inline{Nested: true}, ""
	}
	n, ok := elements(m, values["shape"])
	if !ok || of.size <= 0 || n > j.f.Size/int64(of.size) {
		return pickle.Inline{}, "the array is larger than the file"
	}
	skip := n * int64(of.size)
	if _, aligned := values["numpy_array_alignment_bytes"]; aligned && values["numpy_array_alignment_bytes"].Kind() != pickle.None {
		var pad [1]byte
		if _, err := j.f.ReadAt(pad[:], at.Off+1); err != nil {
			return pickle.Inline{}, "the file ends before the array"
		}
		skip += 1 + int64(pad[0])
	}
	return pickle.Inline{Skip: skip}, ""
}

// attributes are the values of a small dict by their names; nil if it is none.
func attributes(m *pickle.Machine, state pickle.Value) map[string]pickle.Value {
	items, count := m.Items(state)
	if state.Kind() != pickle.Dict || len(items) < count {
		return nil
	}
	values := map[string]pickle.Value{}
	for i := 0; i+1 < len(items); i += 2 {
		values[text(m, items[i])] = items[i+1]
	}
	return values
}

// elements is the product of a shape.
func elements(m *pickle.Machine, shape pickle.Value) (int64, bool) {
	items, count := m.Items(shape)
	if shape.Kind() != pickle.Tuple || len(items) < count {
		return 0, false
	}
	product := int64(1)
	for _, v := range items {
		n, ok := m.Int(v)
		if !ok || n < 0 || n > 0 && product > (1<<62)/n {
			return 0, false
		}
		product *= n
	}
	return product, true
}
