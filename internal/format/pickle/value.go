package pickle

// A Kind is what is known of a value.
type Kind uint8

const (
	Nothing    Kind = iota // no value at all
	None                   // None
	Bool                   // Int says which
	Int                    // an integer that fits 56 bits
	Long                   // any other integer
	Float                  // a number
	Str                    // text
	Str8                   // text of Python 2: text or bytes, as the loader decides
	Bytes                  // bytes
	ByteArray              // a bytearray
	Buffer                 // a buffer from outside of the stream
	Tuple                  // a tuple
	List                   // a list
	Dict                   // a dict; its items are keys and values in turn
	Set                    // a set
	FrozenSet              // a frozenset
	GlobalRef              // what a name of the stream stands for
	Returned               // what REDUCE, OBJ or INST returned
	Instance               // what NEWOBJ or NEWOBJ_EX returned
	Persistent             // what the loader made of an identity
	Extension              // of the extension registry
)

var kindNames = [...]string{"nothing", "None", "bool", "int", "int", "float", "str", "str of Python 2", "bytes",
	"bytearray", "buffer", "tuple", "list", "dict", "set", "frozenset", "global", "result of a call", "instance",
	"persistent object", "extension"}

func (k Kind) String() string { return kindNames[k] }

// opaque reports whether a value of the kind can be anything once it is loaded.
func (k Kind) opaque() bool { return k >= GlobalRef || k == Buffer }

// A Value is a handle on a value of the machine's. It holds a kind and either
// the value itself, where it was written, or the number of an object on the
// machine's heap:
//
//	bits 0-4   kind
//	bit  5     heap: the rest is an object's number
//	bit  6     impure: it holds something that is not plain data
//	bit  7     shared: the memo gave it out
//	bits 8-63  payload by kind
//
// Payloads are: an Int's value; of text, bytes and numbers 1 + the offset of
// their opcode from the stream's beginning, or 0 if that was forgotten; of a
// global the number of its name; of all others that are not on the heap 24 bits
// of count and 24 bits of tag.
type Value uint64

const (
	kindMask Value = 1<<5 - 1
	onHeap   Value = 1 << 5
	impure   Value = 1 << 6
	shared   Value = 1 << 7
	payload        = 8

	maxCount = 1<<24 - 1 // and more, or unknown
	maxTag   = 1<<24 - 1
)

// Kind is what the value is.
func (v Value) Kind() Kind { return Kind(v & kindMask) }

// index is the number of the object on the heap or of the name.
func (v Value) index() uint32 { return uint32(v >> payload) }

func small(x int64) Value { return Value(Int) | Value(x)<<payload }

// integer is an Int, or a Long that was written at the opcode.
func (m *Machine) integer(x int64) Value {
	if x<<payload>>payload != x {
		return m.written(Long)
	}
	return small(x)
}

// written is a value that stands at the current opcode.
func (m *Machine) written(k Kind) Value { return Value(k) | Value(m.at-m.start+1)<<payload }

// brief is a value of which only kind, count and tag are known.
func brief(k Kind, count uint32, tag Tag, flags Value) Value {
	return Value(k) | flags&(impure|shared) | Value(min(count, maxCount))<<payload | Value(tag)<<(payload+24)
}

// Int is the value of an Int or a Bool.
func (m *Machine) Int(v Value) (int64, bool) {
	return int64(v) >> payload, v.Kind() == Int || v.Kind() == Bool
}

// Items are the first items of a container, of a Dict keys and values in turn,
// and how many there are altogether; of a Returned or an Instance, the callee and
// the arguments; of a Persistent, the identity. They are valid during the call.
// Fewer items than count means that the rest was forgotten.
func (m *Machine) Items(v Value) (items []Value, count int) {
	if v&onHeap == 0 {
		if v.Kind() < Tuple || v.Kind() == GlobalRef {
			return nil, 0
		}
		return nil, int(v >> payload & maxCount)
	}
	o := &m.heap.objects[v.index()]
	return m.heap.items[o.item : o.item+uint32(o.kept)], int(o.count)
}

// Made is the offset of the opcode that made a value, or -1 if that is not known.
func (m *Machine) Made(v Value) int64 {
	switch {
	case v&onHeap != 0:
		return m.place(m.heap.objects[v.index()].off)
	case v.Kind() >= Long && v.Kind() <= ByteArray && v>>payload != 0:
		return m.place(m.start + int64(v>>payload) - 1)
	}
	return -1
}

// Global is the name that a GlobalRef stands for.
func (m *Machine) Global(v Value) (*Global, bool) {
	if v.Kind() != GlobalRef {
		return nil, false
	}
	return m.names.list[v.index()], true
}

// Pure reports whether the value is plain data to any depth: no names, calls,
// persistent or unknown objects in it.
//
// Objects know it of themselves from when they were filled. Only where a
// container was given out by the memo and something impure was put in later may
// others that hold it not know; after that no container is pure.
func (m *Machine) Pure(v Value) bool {
	if v&impure != 0 || v&onHeap != 0 && m.heap.objects[v.index()].flags&impure != 0 {
		return false
	}
	return v.Kind() < Tuple || !m.smeared
}

// Tag returns the visitor's tag of a value; that of a GlobalRef is its name's.
func (m *Machine) Tag(v Value) Tag {
	switch {
	case v.Kind() == GlobalRef:
		return m.names.list[v.index()].Tag
	case v&onHeap != 0:
		return m.heap.objects[v.index()].tag
	case v.Kind() >= Tuple:
		return Tag(v >> (payload + 24) & maxTag)
	}
	return 0
}

// SetTag sets the tag of a Returned, Instance, Persistent, Extension or container
// that an event has just made, or that is the object of one.
func (m *Machine) SetTag(v Value, t Tag) {
	if v&onHeap != 0 {
		m.heap.objects[v.index()].tag = t & maxTag
	}
}
