package python

// A Scope says when code runs.
type Scope uint8

const (
	Module   Scope = iota // when the file is imported
	Script                // only when the file is run as the program: if __name__ == "__main__"
	Function              // when somebody calls the function that it stands in
)

// A Place is where a fact stands.
type Place struct {
	Off    int // bytes from the beginning of the source
	Line   int // from 1
	Col    int // bytes, from 0
	Scope  Scope
	Within string // the classes and functions around it: "Net.forward"
}

// A Fact is what Walk tells: an *Import, *Call, *Use, *Alias,
// *Def or *Line.
type Fact interface{ At() Place }

// At returns the place itself.
func (p Place) At() Place { return p }

// An Import is one name of an import statement.
type Import struct {
	Place
	Module string // as written, without the leading dots: "os.path"
	Level  int    // leading dots
	Name   string // of "from Module import Name"; "*" for all; "" of a plain import
	As     string // the name that it gets; "" if none is written
}

// A Chain is a name with attributes, as far as source shows it: "os.path.join".
// If what the attributes belong to is not a name it begins with a dot or is
// empty, and On is the call that gave it, if it was a call (and not too many of them deep).
type Chain struct {
	Name string
	On   *Call
}

// A Call is a call expression.
type Call struct {
	Place
	Chain           // what is called
	Args      []Arg // the first maxArgs
	Decorator bool  // "@name" without brackets, which calls name

	height int // calls that lead on from it, at most maxHeight
}

// An Arg is an argument, as far as it is plain.
type Arg struct {
	Keyword string   // of "key=value"
	Literal bool     // it is a string, or several joined
	Text    string   // then its value
	Chain   *Chain   // it is this name or the result of this call
	Calls   []string // names of all calls within it, inner first, at most maxCalls
}

// A Use is a name that is read and not called at once.
type Use struct {
	Place
	Chain
}

// An Alias is an assignment of one chain or string to a name.
type Alias struct {
	Place
	Name  string
	Value Arg
}

// A Def is a function or class. Its place is outside of itself.
type Def struct {
	Place
	Name  string
	Class bool
}

// A Line is one that IPython reads and Python does not: "!pip install x".
type Line struct {
	Place
	Text string
}

// Bounds of what is kept of one call.
const (
	maxArgs   = 8
	maxCalls  = 16
	maxChain  = 64 // names in a chain; further ones are cut
	maxName   = 1 << 10
	maxText   = 64 << 10 // bytes of strings that are joined
	maxHeight = 3        // calls on or within calls that are kept
)
