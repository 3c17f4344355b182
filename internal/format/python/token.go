// Package python reads Python source without running it: a tokenizer of the
// whole lexical grammar, f-strings included, and a walk over statements that
// tells which modules a file imports, what it calls and refers to, and which of
// that runs when the file is merely imported.
//
// The grammar is that of Python 3.14 (reference, chapter "Lexical analysis"),
// which takes nearly all that was ever valid in Python 3. The walk is tolerant:
// it finds facts in statements of any kind, and demands only that brackets,
// strings and indentation are whole.
package python

// A Kind says what a token is.
type Kind uint8

const (
	End     Kind = iota // of the file
	Newline             // the end of a logical line
	Indent              // a block begins
	Dedent              // a block ends
	Name                // an identifier or keyword
	Number
	String  // a whole literal with its prefix and quotes
	FString // prefix and quotes that begin an f-string or t-string
	FText   // text between the fields of an f-string
	FEnd    // the quotes that end an f-string
	Op
	Magic // of a Lexer with Magics: a line for IPython and not for Python
)

// A Token is a piece of source. Fields of f-strings are tokens between Op "{"
// and Op "}".
type Token struct {
	Kind Kind
	Off  int // bytes from the beginning of the file
	Line int // from 1
	Col  int // bytes from the beginning of the line, from 0
	Text string
}

// keywords are the names that no variable can have. True, False and None are
// not among them: to a reader of expressions they are operands.
var keywords = map[string]bool{
	"and": true, "as": true, "assert": true, "async": true, "await": true, "break": true, "class": true, "continue": true,
	"def": true, "del": true, "elif": true, "else": true, "except": true, "finally": true, "for": true, "from": true,
	"global": true, "if": true, "import": true, "in": true, "is": true, "lambda": true, "nonlocal": true, "not": true,
	"or": true, "pass": true, "raise": true, "return": true, "try": true, "while": true, "with": true, "yield": true,
}
