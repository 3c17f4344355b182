package graphs

import (
	"bytes"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// maxText bounds a graph in the text format, which is turned into its other
// form in memory. Those that hold weights are larger; nobody loads them so.
const maxText = 2 << 20

// graphTextReading knows graphs in the text format of Protocol Buffers, such as
// saved_model.pbtxt and model.textproto. Each is judged as the wire form that it
// stands for.
var graphTextReading = inspect.Reading{
	Format: "graph-text",
	Match: func(f *inspect.File, head []byte) inspect.Fit {
		t, more := textType(head)
		if more && f.Size > int64(len(head)) {
			t, _ = wholeTextType(f) // what begins with comments longer than the head
		}
		if t != nil {
			return inspect.Maybe
		}
		return inspect.No
	},
	Inspect: inspectText,
}

func wholeTextType(f *inspect.File) (t *protobuf.Message, text []byte) {
	text = f.Cursor().Bytes(uint64(min(f.Size, maxText)), maxText)
	t, _ = textType(text)
	return t, text
}

// textTypes are the messages that programs read as text.
func textTypes() []*protobuf.Message {
	return []*protobuf.Message{tfSchema().Message("GraphDef"), tfSchema().Message("SavedModel"), tfSchema().Message("MetaGraphDef"), onnxSchema().Message("ModelProto")}
}

// textType is the type of message that a text may be: the one that has its
// first field which is a message, and all fields before. More says that the text
// ended before that field.
func textType(text []byte) (t *protobuf.Message, more bool) {
	for _, t := range textTypes() {
		fits, ended := begins(text, t)
		if fits {
			return t, false
		}
		more = more || ended
	}
	return nil, more
}

// begins reports whether a text begins like a message of a type, or ends before
// that is known.
func begins(rest []byte, t *protobuf.Message) (fits, ended bool) {
	for {
		rest = skipComments(rest)
		word := rest[:len(rest)-len(bytes.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz_"))]
		if len(rest) == len(word) {
			return false, true
		}
		f := t.Named(string(word))
		if f == nil {
			return false, false
		}
		rest = skipComments(rest[len(word):])
		colon := bytes.HasPrefix(rest, []byte(":"))
		if rest = skipComments(bytes.TrimPrefix(rest, []byte(":"))); len(rest) == 0 {
			return false, true
		}
		switch {
		case f.Kind == protobuf.Embedded:
			return strings.IndexByte("{<[", rest[0]) >= 0, false
		case !colon:
			return false, false
		case rest[0] == '"' || rest[0] == '\'':
			p := bytes.IndexByte(rest[1:], rest[0])
			rest = rest[min(len(rest), p+2):]
		default:
			rest = bytes.TrimLeft(rest, "0123456789abcdefxABCDEFX+-")
		}
	}
}

// skipComments skips what stands between fields and their parts.
func skipComments(b []byte) []byte {
	for {
		b = bytes.TrimLeft(b, " \t\r\n\v\f,;")
		if len(b) == 0 || b[0] != '#' {
			return b
		}
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
}

// inspectText turns a graph into the wire form and has that inspected. What
// begins like a graph and goes on otherwise is broken if its name says that it
// is one, and something else if not.
func inspectText(p *inspect.Pass, f *inspect.File) error {
	t, text := wholeTextType(f)
	named := f.Ext() == ".pbtxt" || f.Ext() == ".prototxt" || f.Ext() == ".textproto"
	switch {
	case t == nil || f.Size > maxText && !named:
		return inspect.ErrNotThis
	case f.Size > maxText:
		return format.Exceededf(-1, "a graph as text of more than %d bytes", maxText)
	}
	out, err := protobuf.FromText(text, t, graphEnum)
	if err != nil && !named {
		return inspect.ErrNotThis
	}
	if err != nil {
		return err
	}
	return p.Expand(f, strings.TrimSuffix(f.Base(), f.Ext())+".pb", bytes.NewReader(out), f.Around)
}

// graphEnum gives names of enum values a number: those that matter to how a
// graph is judged have their own.
func graphEnum(name string) (uint64, bool) {
	switch name {
	case "DT_STRING":
		return dtString, true
	case "DEFAULT", "UNDEFINED":
		return 0, true
	case "EXTERNAL":
		return 1, true
	}
	for i, kind := range [...]string{1: "FLOAT", 2: "INT", 3: "STRING", 4: "TENSOR", 5: "GRAPH", 6: "FLOATS", 7: "INTS", 8: "STRINGS", 9: "TENSORS",
		10: "GRAPHS", 11: "SPARSE_TENSOR", 12: "SPARSE_TENSORS", 13: "TYPE_PROTO", 14: "TYPE_PROTOS"} {
		if kind == name && i > 0 {
			return uint64(i), true
		}
	}
	return 1, name != "" && strings.ToUpper(name) == name
}
