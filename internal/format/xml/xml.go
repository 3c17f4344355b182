// Package xml reads XML 1.0 as a stream of tokens in constant memory, and does
// only what is harmless: no document type is followed, no entity is replaced
// beyond the five of XML and characters by number, and nothing outside of the
// document is ever looked at. A DOCTYPE is a token, so that others may judge it.
//
// It demands UTF-8 and well-formedness (XML 1.0, fifth edition) of what programs
// disagree about: tags that match, attributes that are there once, no bare "&"
// or "<". It is looser about which letters a name may have.
package xml

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// A Kind says what a token is.
type Kind uint8

const (
	Start       Kind = iota // of an element
	End                     // of an element, of an empty one too
	Text                    // a piece of it
	Comment                 // without its text
	Instruction             // a processing instruction but the XML declaration
	Doctype
)

// A Token is one piece of a document.
type Token struct {
	Kind  Kind
	Off   int64  // byte where it begins
	Name  string // of an element or instruction, with its prefix: "p:name"; of a doctype all up to "["
	Attrs []Attr // of Start
	Text  string // of Text, some 4 KiB at most, with entities replaced; of CDATA nothing
}

// An Attr is an attribute with its entities replaced.
type Attr struct{ Name, Value string }

// Attr returns the value of an attribute, or "".
func (t Token) Attr(name string) string {
	for _, a := range t.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// Bounds of what is kept.
const (
	maxDepth = 1024
	maxName  = 256
	maxAttrs = 256
	maxValue = 64 << 10
	maxText  = 4 << 10
	maxType  = 4 << 10 // of a DOCTYPE; the rest is skipped
)

// A Reader reads a document token by token. It is not for concurrent use.
type Reader struct {
	r     *bufio.Reader
	off   int64
	open  []string
	ended bool   // the root element has ended
	queue *Token // the end of an empty element
	begun bool
	err   error
}

// NewReader returns a reader of the document that src yields.
func NewReader(src io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(src, 16<<10)} }

// Depth is how many elements are open.
func (r *Reader) Depth() int { return len(r.open) }

// Next returns the next token, and io.EOF behind the last. What is no XML is a
// *format.Error, and other errors are those of the source; errors stay.
func (r *Reader) Next() (Token, error) {
	if r.err != nil {
		return Token{}, r.err
	}
	t, err := r.next()
	r.err = err
	return t, err
}

func (r *Reader) next() (Token, error) {
	if r.queue != nil {
		t := *r.queue
		r.queue = nil
		return t, nil
	}
	if !r.begun {
		r.begun = true
		if r.ahead("\xef\xbb\xbf") {
			r.skip(3)
		}
		if err := r.declaration(); err != nil {
			return Token{}, err
		}
	}
	for {
		off := r.off
		b, err := r.byte()
		switch {
		case err == io.EOF && r.ended && len(r.open) == 0:
			return Token{}, io.EOF
		case err == io.EOF:
			return Token{}, format.Brokenf(off, "the document ends before its root element does")
		case err != nil:
			return Token{}, err
		case b == '<':
			return r.markup(off)
		case len(r.open) > 0:
			return r.text(off, b)
		case !space(b):
			return Token{}, format.Brokenf(off, "text outside of the root element")
		}
	}
}

// declaration reads "<?xml ... ?>", which must not name another encoding.
func (r *Reader) declaration() error {
	if !r.ahead("<?xml ") && !r.ahead("<?xml\t") && !r.ahead("<?xml\n") && !r.ahead("<?xml\r") {
		return nil
	}
	off := r.off
	r.skip(5)
	text, err := r.until("?>", maxName)
	if err != nil {
		return err
	}
	if _, enc, ok := strings.Cut(text, "encoding"); ok {
		words := strings.Fields(strings.Trim(enc, " \t\r\n="))
		if len(words) == 0 {
			return format.Brokenf(off, "the declaration names no encoding")
		}
		enc = strings.ToLower(strings.Trim(words[0], `"'`))
		if enc != "utf-8" && enc != "utf8" && enc != "us-ascii" && enc != "ascii" {
			return format.Unsupportedf(off, "a document in another encoding than UTF-8")
		}
	}
	return nil
}

// markup reads what begins with "<".
func (r *Reader) markup(off int64) (Token, error) {
	switch {
	case r.ahead("!--"):
		r.skip(3)
		return Token{Kind: Comment, Off: off}, r.pass("-->")
	case r.ahead("![CDATA["):
		r.skip(8)
		if len(r.open) == 0 {
			return Token{}, format.Brokenf(off, "text outside of the root element")
		}
		return Token{Kind: Text, Off: off}, r.pass("]]>")
	case r.ahead("!"):
		r.skip(1)
		return r.doctype(off)
	case r.ahead("?"):
		r.skip(1)
		name, err := r.name()
		if err == nil {
			err = r.pass("?>")
		}
		return Token{Kind: Instruction, Off: off, Name: name}, err
	case r.ahead("/"):
		r.skip(1)
		return r.endTag(off)
	}
	return r.startTag(off)
}

func (r *Reader) endTag(off int64) (Token, error) {
	name, err := r.name()
	if err == nil {
		err = r.spaces()
	}
	if err == nil {
		err = r.want('>')
	}
	if err != nil {
		return Token{}, err
	}
	if n := len(r.open); n == 0 || r.open[n-1] != name {
		return Token{}, format.Brokenf(off, "the end of another element than the one that is open")
	}
	return r.close(off, name), nil
}

func (r *Reader) close(off int64, name string) Token {
	r.open = r.open[:len(r.open)-1]
	r.ended = len(r.open) == 0
	return Token{Kind: End, Off: off, Name: name}
}

func (r *Reader) startTag(off int64) (Token, error) {
	if r.ended {
		return Token{}, format.Brokenf(off, "a second root element")
	}
	if len(r.open) >= maxDepth {
		return Token{}, format.Exceededf(off, "more than %d elements within each other", maxDepth)
	}
	t := Token{Kind: Start, Off: off}
	var err error
	if t.Name, err = r.name(); err != nil {
		return t, err
	}
	r.open = append(r.open, t.Name)
	for {
		if err := r.spaces(); err != nil {
			return t, err
		}
		switch {
		case r.ahead("/>"):
			r.skip(2)
			end := r.close(off, t.Name)
			r.queue = &end
			return t, nil
		case r.ahead(">"):
			r.skip(1)
			return t, nil
		}
		a, err := r.attr()
		if err != nil {
			return t, err
		}
		for _, b := range t.Attrs {
			if a.Name == b.Name {
				return t, format.Brokenf(off, "an attribute that its element has twice")
			}
		}
		if len(t.Attrs) >= maxAttrs {
			return t, format.Exceededf(off, "an element with more than %d attributes", maxAttrs)
		}
		t.Attrs = append(t.Attrs, a)
	}
}

func (r *Reader) attr() (a Attr, err error) {
	if a.Name, err = r.name(); err == nil {
		err = r.spaces()
	}
	if err == nil {
		err = r.want('=')
	}
	if err == nil {
		err = r.spaces()
	}
	if err != nil {
		return a, err
	}
	off := r.off
	quote, err := r.byte()
	if err != nil || quote != '"' && quote != '\'' {
		return a, r.broken(off, err, "an attribute without quotes")
	}
	raw, err := r.until(string(quote), maxValue)
	if err != nil {
		return a, err
	}
	if strings.Contains(raw, "<") {
		return a, format.Brokenf(off, `a "<" within an attribute`)
	}
	a.Value, err = unescape(raw, off)
	return a, err
}

// text reads text up to the next markup, in pieces that cut neither an entity
// nor a character.
func (r *Reader) text(off int64, first byte) (Token, error) {
	raw := []byte{first}
	entity := 0 // bytes since "&", without ";"
	for b := first; ; {
		switch {
		case b == '&' || entity > 0 && b != ';':
			entity++
		default:
			entity = 0
		}
		if entity > 16 {
			return Token{}, format.Brokenf(r.off, "an entity that XML does not have")
		}
		next, err := r.r.Peek(1)
		if err != nil && err != io.EOF {
			return Token{}, err
		}
		if err == io.EOF || next[0] == '<' || len(raw) >= maxText && entity == 0 && utf8.RuneStart(next[0]) {
			text, err := unescape(string(raw), off)
			return Token{Kind: Text, Off: off, Text: text}, err
		}
		if len(raw) >= maxText+64 {
			return Token{}, format.Brokenf(r.off, "text that is not UTF-8")
		}
		if b, err = r.byte(); err != nil {
			return Token{}, err
		}
		raw = append(raw, b)
	}
}

// doctype reads a document type, of which brackets and quotes are followed.
func (r *Reader) doctype(off int64) (Token, error) {
	if r.ended || len(r.open) > 0 {
		return Token{}, format.Brokenf(off, "a declaration within the document")
	}
	var text []byte
	depth := 0
	quote := byte(0)
	for {
		b, err := r.byte()
		if err != nil {
			return Token{}, r.broken(off, err, "a declaration without an end")
		}
		switch {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == '[' || b == '<':
			depth++
		case b == ']' || b == '>' && depth > 0:
			depth--
		case b == '>':
			return Token{Kind: Doctype, Off: off, Name: string(text)}, nil
		}
		if len(text) < maxType {
			text = append(text, b)
		}
	}
}

func (r *Reader) byte() (byte, error) {
	b, err := r.r.ReadByte()
	if err == nil {
		r.off++
		if b < ' ' && !space(b) {
			return 0, format.Brokenf(r.off-1, "a character that XML does not have")
		}
	}
	return b, err
}

// ahead reports whether s comes next.
func (r *Reader) ahead(s string) bool {
	b, _ := r.r.Peek(len(s))
	return string(b) == s
}

func (r *Reader) skip(n int) {
	m, _ := r.r.Discard(n)
	r.off += int64(m)
}

func (r *Reader) spaces() error {
	for {
		b, err := r.r.Peek(1)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !space(b[0]) {
			return nil
		}
		r.skip(1)
	}
}

func (r *Reader) want(c byte) error {
	off := r.off
	if b, err := r.byte(); err != nil || b != c {
		return r.broken(off, err, "a tag that is not whole")
	}
	return nil
}

// broken is the error of bytes that are wrong or not there.
func (r *Reader) broken(off int64, err error, text string) error {
	if err == nil || errors.Is(err, io.EOF) {
		return format.Brokenf(off, "%s", text)
	}
	return err
}

func (r *Reader) name() (string, error) {
	off := r.off
	var out []byte
	for {
		b, err := r.r.Peek(1)
		if err != nil && err != io.EOF {
			return "", err
		}
		if err == io.EOF || space(b[0]) || strings.IndexByte("<>/=?!\"'&", b[0]) >= 0 || b[0] < ' ' {
			break
		}
		if len(out) >= maxName {
			return "", format.Exceededf(off, "a name of more than %d bytes", maxName)
		}
		out = append(out, b[0])
		r.skip(1)
	}
	if len(out) == 0 || !utf8.Valid(out) || out[0] >= '0' && out[0] <= '9' || out[0] == '-' || out[0] == '.' {
		return "", format.Brokenf(off, "no name where one must be")
	}
	return string(out), nil
}

// until reads up to an end, which it drops, and keeps at most limit bytes.
func (r *Reader) until(end string, limit int) (string, error) {
	off := r.off
	var out []byte
	for {
		b, err := r.byte()
		if err != nil {
			return "", r.broken(off, err, "markup without an end")
		}
		if out = append(out, b); strings.HasSuffix(string(out[max(0, len(out)-len(end)):]), end) {
			return string(out[:len(out)-len(end)]), nil
		}
		if len(out) >= limit+len(end) {
			return "", format.Exceededf(off, "markup of more than %d bytes", limit)
		}
	}
}

// pass drops all up to an end and it.
func (r *Reader) pass(end string) error {
	off := r.off
	for {
		if r.ahead(end) {
			r.skip(len(end))
			return nil
		}
		if _, err := r.byte(); err != nil {
			return r.broken(off, err, "markup without an end")
		}
	}
}

func space(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// unescape replaces the five entities of XML and characters by number.
func unescape(s string, off int64) (string, error) {
	if !utf8.ValidString(s) {
		return "", format.Brokenf(off, "text that is not UTF-8")
	}
	if !strings.Contains(s, "&") {
		return s, nil
	}
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "&")
		out.WriteString(before)
		if !ok {
			return out.String(), nil
		}
		name, after, ok := strings.Cut(rest, ";")
		text := map[string]string{"amp": "&", "lt": "<", "gt": ">", "apos": "'", "quot": `"`}[name]
		if digits, found := strings.CutPrefix(name, "#"); found && ok {
			text = character(digits)
		}
		if !ok || text == "" {
			return "", format.Brokenf(off, "an entity that XML does not have")
		}
		out.WriteString(text)
		s = after
	}
}

// character is the one of a number, decimal or "x" and hexadecimal.
func character(digits string) string {
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune || n < ' ' && n != '\t' && n != '\n' && n != '\r' || !utf8.ValidRune(rune(n)) {
		return ""
	}
	return string(rune(n))
}
