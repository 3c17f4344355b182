package pickles

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format/pickle"
)

// fit holds arguments against the letters of a contract.
func (j *judge) fit(m *pickle.Machine, letters string, args []pickle.Value) string {
	must, may, _ := strings.Cut(letters, "/")
	if len(args) < len(must) || len(args) > len(must)+len(may) {
		return "it takes another number of arguments"
	}
	letters = must + may
	for i, a := range args {
		if !j.shaped(m, letters[i], a) {
			return "argument " + string(rune('1'+i)) + " is nothing that honest files pass to it"
		}
	}
	return ""
}

// shaped reports whether a value is what a letter stands for.
func (j *judge) shaped(m *pickle.Machine, letter byte, v pickle.Value) bool {
	t := j.thing(m, v)
	made := t.entry != nil && t.life != named
	switch k := v.Kind(); letter {
	case 'i':
		return k == pickle.Int || k == pickle.Long || k == pickle.Bool
	case 'f':
		return k == pickle.Float || k == pickle.Int || k == pickle.Long
	case 's':
		return k == pickle.Str || k == pickle.Str8
	case 'B':
		return k == pickle.Bytes || k == pickle.ByteArray || k == pickle.Buffer || k == pickle.Str8 || k == pickle.Str || made && t.kind == "bytes"
	case 'n':
		return k == pickle.None
	case 'p':
		return m.Pure(v) || made && (t.kind == "plain" || t.kind == "bytes")
	case 't':
		return k == pickle.Tuple && m.Pure(v) || made && t.kind == "plain"
	case 'l':
		return k == pickle.List
	case 'x':
		return k != pickle.GlobalRef && k != pickle.Extension && k != pickle.Persistent
	case 'w':
		return j.shaped(m, 'x', v) || j.shaped(m, 'v', v)
	case 'c':
		return t.entry != nil && t.life == named && t.entry.use.class()
	case 'v':
		return k == pickle.GlobalRef && t.entry != nil && (t.kind == "value" || t.kind == "enum" || t.kind == "storage")
	case 'e':
		return k == pickle.GlobalRef && t.entry != nil
	case 'd':
		return made && t.kind == "dtype"
	case 'a':
		return made && t.kind == "array"
	case 'S':
		return made && t.kind == "storage"
	case 'T':
		return made && t.kind == "tensor"
	case 'o':
		return k == pickle.None || made && t.kind == "ordereddict" && t.life == fresh
	}
	return false
}

func (j *judge) allPure(m *pickle.Machine, values []pickle.Value) bool {
	for _, v := range values {
		if !m.Pure(v) {
			return false
		}
	}
	return true
}

// text is a short text argument.
func text(m *pickle.Machine, v pickle.Value) string {
	s, _ := m.Text(v, maxName)
	return s
}

// A special judges the arguments of a call that letters cannot describe.
type special func(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string)

func never(*judge, *pickle.Machine, *entry, []pickle.Value) (thing, string) {
	return thing{}, "it may be named, but not called"
}

// specials returns the function for a contract NAME!
func specials(name string) special {
	switch name {
	case "encode":
		return encode
	case "getattr":
		return member
	case "reconstructor":
		return reconstructor
	case "newobj":
		return newobj
	case "ordereddict":
		return orderedDict
	case "defaultdict":
		return defaultDict
	case "partial":
		return partial
	case "dtype":
		return dtype
	case "reconstruct":
		return reconstruct
	case "frombuffer":
		return fromBuffer
	case "ufunc":
		return ufunc
	case "bitgen":
		return bitGenerator
	case "generator":
		return generator
	case "bytearray":
		return byteArray
	case "index":
		return newIndex
	case "fromtype":
		return fromType
	case "frombytes":
		return fromBytes
	case "typename":
		return typeName
	}
	return never
}

// encode is _codecs.encode, by which writers of protocol 2 make bytes out of
// text. Other codecs than Latin-1 run more than a table.
func encode(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) != 2 || !j.shaped(m, 's', args[0]) {
		return thing{}, "it is not given a text and a codec"
	}
	switch text(m, args[1]) {
	case "latin1", "latin-1", "iso-8859-1", "utf-8", "utf8", "ascii":
		return thing{entry: e, kind: "bytes", life: fresh}, ""
	}
	return thing{}, "the codec is none that only turns text into bytes"
}

// member is getattr as the enum module of some Pythons uses it: a member of an
// enumeration by its name. The result can be called or set by nothing.
func member(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) == 2 && j.thing(m, args[0]).kind == "zone" && text(m, args[1]) == "_unpickle" {
		of, _ := lookup("zoneinfo", "ZoneInfo._unpickle") // as protocols below 4 write it
		return thing{entry: of, kind: of.use.kind, life: named}, ""
	}
	if len(args) != 2 || args[0].Kind() != pickle.GlobalRef || j.thing(m, args[0]).kind != "enum" {
		return thing{}, "it is not asked for a member of an allowed enumeration"
	}
	name := text(m, args[1])
	if !plainName(name) || strings.HasPrefix(name, "_") || strings.Contains(name, ".") || strings.ToUpper(name) != name {
		return thing{}, "it asks for something that is no member of an enumeration"
	}
	return thing{entry: e, kind: "plain", life: fresh}, ""
}

// reconstructor is copyreg._reconstructor(class, base, state), by which the
// protocols 0 and 1 make objects.
func reconstructor(j *judge, m *pickle.Machine, _ *entry, args []pickle.Value) (thing, string) {
	if len(args) != 3 || !j.shaped(m, 'c', args[0]) {
		return thing{}, "what it makes is no instance of an allowed class"
	}
	base, ok := m.Global(args[1])
	if !ok {
		return thing{}, "the base is no class by name"
	}
	module, name := modern(base.Module, base.Name)
	of := j.thing(m, args[0])
	fits := false
	switch k := args[2].Kind(); name {
	case "object":
		fits = k == pickle.None
	case "dict":
		fits = k == pickle.Dict && of.kind == "dict"
	case "list":
		fits = k == pickle.List && of.kind == "list"
	case "tuple":
		fits = k == pickle.Tuple && of.kind == "tuple"
	case "set", "frozenset":
		fits = (k == pickle.List || k == pickle.Set) && of.kind == "set"
	case "str", "int", "float", "bytes", "complex":
		fits = m.Pure(args[2]) && of.kind == "scalar"
	}
	if module != "builtins" || !fits {
		return thing{}, "the base or its value does not belong to the class"
	}
	return thing{entry: of.entry, kind: of.kind, life: fresh}, ""
}

// newobj is copyreg.__newobj__(class, *args), the opcode NEWOBJ as a function.
func newobj(j *judge, m *pickle.Machine, _ *entry, args []pickle.Value) (thing, string) {
	if len(args) == 0 || !j.shaped(m, 'c', args[0]) {
		return thing{}, "what it makes is no instance of an allowed class"
	}
	return j.made(m, j.thing(m, args[0]).entry, args[1:], pickle.Value(0))
}

// orderedDict makes an ordered dict, of old with its items as a list of pairs.
func orderedDict(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	t := thing{entry: e, kind: "ordereddict", life: fresh}
	switch {
	case len(args) == 0:
		return t, ""
	case len(args) == 1 && (args[0].Kind() == pickle.List || args[0].Kind() == pickle.Dict):
		t.life = filled
		return t, ""
	}
	return thing{}, "it is made from something other than a list of pairs"
}

// defaultDict makes a dict whose missing values a type of Python's makes.
func defaultDict(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	t := thing{entry: e, kind: "dict", life: fresh}
	if len(args) > 2 || len(args) == 2 && args[1].Kind() != pickle.Dict {
		return thing{}, "it takes a factory and a dict"
	}
	if len(args) == 0 || args[0].Kind() == pickle.None {
		return t, ""
	}
	g, ok := m.Global(args[0])
	if !ok {
		return thing{}, "the factory is not a type by name"
	}
	switch module, name := modern(g.Module, g.Name); module + " " + name {
	case "builtins int", "builtins float", "builtins list", "builtins dict", "builtins set", "builtins str", "builtins bool", "builtins tuple",
		"collections OrderedDict", "collections Counter", "collections defaultdict", "collections deque":
		return t, ""
	}
	return thing{}, "the factory is no plain type: it would run at the first missing key"
}

// partial is functools.partial over a function that may be named.
func partial(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) != 1 || !j.shaped(m, 'v', args[0]) {
		return thing{}, "the function is not one that models hold"
	}
	return thing{entry: e, kind: "partial", life: fresh}, ""
}

// buildPartial judges the state (function, arguments, keywords, attributes).
func (j *judge) buildPartial(m *pickle.Machine, t thing, obj, state pickle.Value) string {
	parts, count := m.Items(state)
	if state.Kind() != pickle.Tuple || count != 4 || len(parts) != 4 || !j.shaped(m, 'v', parts[0]) {
		return "the function is not one that models hold"
	}
	t.life = built
	m.SetTag(obj, j.tag(t))
	return ""
}

// byteArray makes a bytearray of bytes, or of text in Latin-1.
func byteArray(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) > 2 || len(args) > 0 && !j.shaped(m, 'B', args[0]) || len(args) == 2 && !j.shaped(m, 's', args[1]) {
		return thing{}, "it is not given bytes, or text and a codec"
	}
	if len(args) == 2 {
		return encode(j, m, e, args)
	}
	return thing{entry: e, kind: "bytes", life: fresh}, ""
}

// typeName is dill's way to name a type of Python's.
func typeName(j *judge, m *pickle.Machine, e *entry, args []pickle.Value) (thing, string) {
	if len(args) == 1 {
		switch text(m, args[0]) {
		case "NoneType", "object", "list", "dict", "tuple", "set", "frozenset", "str", "bytes", "int", "float", "bool", "complex", "OrderedDict":
			return thing{entry: e, kind: "plain", life: fresh}, ""
		}
	}
	return thing{}, "it asks for a type that runs code"
}
