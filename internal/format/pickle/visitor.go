package pickle

// A Visitor judges what a stream names and does. Its methods are called in the
// order of execution; an error ends the run and is returned by it. Values that
// it is given are valid during the call only: what has to last is kept as a tag.
//
// Where a stream has several readings the machine starts again for each, and
// calls the methods again for what the readings share; Machine.Repeats tells.
type Visitor interface {
	// Global is a name that the stream has imported: GLOBAL, STACK_GLOBAL, INST.
	// The tag stays with the name, in this and all its later values. It is called
	// each time that the stream names it.
	Global(m *Machine, at At, g *Global) error
	// Call is what the stream runs by REDUCE, NEWOBJ, NEWOBJ_EX, OBJ or INST.
	Call(m *Machine, at At, c *Call) error
	// Build is BUILD with a state on an object, of whatever kind. What it returns
	// says what follows the opcode.
	Build(m *Machine, at At, obj, state Value) (Inline, error)
	// Extend is APPEND(S), SETITEM(S) or ADDITEMS on anything but a list, a dict
	// and a set, respectively, of the stream's own making. Items are all that are
	// added, for dicts keys and values in turn; there may be none.
	Extend(m *Machine, at At, target Value, items []Value) error
	// Ext is an object of the extension registry, known by its code only.
	Ext(m *Machine, at At, code int32, result Value) error
	// Persistent is an object that the loader finds by an identity, which is a Str
	// for PERSID.
	Persistent(m *Machine, at At, id, result Value) error
	// Diverge is a place where unpicklers differ.
	Diverge(m *Machine, d Divergence) error
	// Step is called after about every 16 KiB with the count of opcodes since the
	// last call.
	Step(n int) error
}

// A Doubter is a Visitor that wants to see calls of a reading in which what is
// called and its arguments most likely do not belong together: that of an
// unpickler that takes a stream within a stream for a part of the outer one. A
// Doubter has to find no fault with what is merely unusual.
type Doubter interface {
	Doubt(m *Machine, at At, c *Call) error
}

// At is the opcode that an event belongs to.
type At struct {
	Op  Op
	Off int64 // in the reader
}

// A Global is a name as the stream writes it, before Python 3 maps the old names
// of protocols below 3 (Machine.Proto) and before dots are followed.
type Global struct {
	Module, Name string
	// Known is unset if a part of the name is not written in the stream but made
	// when it is loaded; the part is empty.
	Known bool
	Proto int // Machine.Proto when it was named
	Tag   Tag // the visitor's; kept with the name
}

// A Call is one that the stream makes. NEWOBJ and NEWOBJ_EX call the class's
// __new__, the others the callee itself.
type Call struct {
	Callee Value
	// Args is a tuple, in an honest stream. For OBJ and INST the machine makes it.
	Args   Value
	Kwargs Value // of NEWOBJ_EX; otherwise Nothing
	Result Value // for SetTag
}

// An Inline is what follows a BUILD outside of the stream's opcodes, as joblib
// writes arrays.
type Inline struct {
	Skip   int64 // bytes that are no opcodes
	Nested bool  // after them, a stream with a stack and memo of its own
}

// A Tag is a mark of the visitor's on a value, of 24 bits; 0 is none.
type Tag uint32

// A Divergence is a place where unpicklers read different things.
type Divergence struct {
	Off  int64
	Text string // what differs, in our words
}

// A Result is how a stream ended.
type Result struct {
	Start, End int64 // of the stream; after an error, End is the opcode it is about
	Stopped    bool  // it ended by STOP
	Proto      int   // the highest PROTO; 0 without any
	Ops        int64
	Value      Value // that STOP returns
	Left       int   // values and marks beneath it, none in honest streams
	Globals    int   // different names
	Readings   int   // ways to read it that were followed
}
