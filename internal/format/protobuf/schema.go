package protobuf

import (
	"fmt"
	"strconv"
	"strings"
)

// A Schema holds message types by their names.
type Schema struct{ messages map[string]*Message }

// A Message is the type of a message.
type Message struct {
	Name   string
	Fields []*Field // by number

	defined bool
}

// A Field is what may stand in a message.
type Field struct {
	Name     string
	Number   uint64
	Kind     Kind
	Repeated bool
	Type     *Message // of Embedded fields; nil: any message

	index int // in its message
	oneof int // the index of the first field of the same oneof; its own if it is in none
}

// A Kind says how a field's bytes are understood.
type Kind uint8

const (
	Varint   Kind = iota // int32, int64, uint32, uint64, bool, enum
	Zigzag               // sint32, sint64
	Fixed32              // fixed32, sfixed32, float
	Fixed64              // fixed64, sfixed64, double
	Bytes                // bytes, string
	Embedded             // a message
)

// packs reports whether many values of the kind may stand in one field.
func (k Kind) packs() bool { return k < Bytes }

var kinds = [...]struct {
	name string
	kind Kind
}{
	{"int32", Varint}, {"int64", Varint}, {"uint32", Varint}, {"uint64", Varint}, {"bool", Varint}, {"enum", Varint},
	{"sint32", Zigzag}, {"sint64", Zigzag},
	{"fixed32", Fixed32}, {"sfixed32", Fixed32}, {"float", Fixed32},
	{"fixed64", Fixed64}, {"sfixed64", Fixed64}, {"double", Fixed64},
	{"bytes", Bytes}, {"string", Bytes}, {"message", Embedded},
}

// ParseSchema reads a schema. A message is a line with its name and a line for
// each field, by number; lines that are empty or begin with # say nothing:
//
//	Node
//	1 string name
//	2 *Node children       repeated
//	3 int64 number value   member of the oneof "value"
func ParseSchema(text string) (*Schema, error) {
	s := &Schema{messages: map[string]*Message{}}
	var m *Message
	groups := map[string]int{}
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0][0] == '#':
		case len(words) == 1:
			if m = s.message(words[0]); m.defined {
				return nil, fmt.Errorf("schema line %d: %s is there twice", i+1, m.Name)
			}
			m.defined = true
			clear(groups)
		default:
			f, err := s.field(words)
			if err != nil || m == nil || len(m.Fields) > 0 && m.Fields[len(m.Fields)-1].Number >= f.Number {
				return nil, fmt.Errorf("schema line %d: %q is no field", i+1, line)
			}
			f.index = len(m.Fields)
			f.oneof = f.index
			if len(words) == 4 {
				first, ok := groups[words[3]]
				if !ok {
					first = f.index
					groups[words[3]] = first
				}
				f.oneof = first
			}
			m.Fields = append(m.Fields, f)
		}
	}
	for _, m := range s.messages {
		if !m.defined {
			return nil, fmt.Errorf("schema: %s is used and not there", m.Name)
		}
	}
	return s, nil
}

func (s *Schema) field(words []string) (*Field, error) {
	number, err := strconv.ParseUint(words[0], 10, 29)
	if err != nil || len(words) < 3 || len(words) > 4 {
		return nil, fmt.Errorf("malformed")
	}
	name, repeated := strings.CutPrefix(words[1], "*")
	f := &Field{Name: words[2], Number: number, Repeated: repeated}
	for _, k := range kinds {
		if k.name == name {
			f.Kind = k.kind
			return f, nil
		}
	}
	f.Kind, f.Type = Embedded, s.message(name)
	return f, nil
}

// message returns the type called name, which may have its fields later.
func (s *Schema) message(name string) *Message {
	m := s.messages[name]
	if m == nil {
		m = &Message{Name: name}
		s.messages[name] = m
	}
	return m
}

// Message returns the type called name, or nil.
func (s *Schema) Message(name string) *Message { return s.messages[name] }

// field returns the field with a number, or nil.
func (m *Message) field(number uint64) *Field {
	lo, hi := 0, len(m.Fields)
	for lo < hi {
		mid := (lo + hi) / 2
		if m.Fields[mid].Number < number {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(m.Fields) && m.Fields[lo].Number == number {
		return m.Fields[lo]
	}
	return nil
}

// Named returns the field called name, or nil.
func (m *Message) Named(name string) *Field {
	for _, f := range m.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}
