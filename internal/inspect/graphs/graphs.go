package graphs

import (
	"embed"
	"errors"
	"hash/maphash"
	"io"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/protobuf"
	"github.com/sallyport/sallyport/internal/inspect"
)

// The rules of this package.
var (
	ruleOp = &inspect.Rule{ID: "graph-op", Title: "The graph holds an operator that is not on the allow list.",
		Mend: "leave the operator out of what is exported, or have a reviewer waive this very file", CWE: 829, Code: true}
	ruleFile = &inspect.Rule{ID: "graph-file", Title: "The graph names a file that is not a part of the model.",
		Mend: "save the model again with its data beside it", CWE: 22}
	ruleInvalid = &inspect.Rule{ID: "graph-invalid", Title: "The graph is not valid: shapes, offsets, names or indices do not fit.",
		Mend: "have it exported again; a program that trusts these numbers may read or write beyond its memory", CWE: 1285}
	ruleEncoding = &inspect.Rule{ID: "graph-encoding", Title: "The message holds fields that readers take differently or that are unknown.",
		Mend: "have it exported again by the library that it belongs to", CWE: 436}
	ruleNested = &inspect.Rule{ID: "graph-nested", Title: "A graph lies in a string of another graph.",
		Mend: "do not load it; find out who put it there", CWE: 506}
)

// Rules lists all that the readings of this package report.
var Rules = []*inspect.Rule{ruleOp, ruleFile, ruleInvalid, ruleEncoding, ruleNested}

// Readings returns the readings of graphs.
func Readings() []inspect.Reading {
	return []inspect.Reading{onnxReading, onnxDataReading, savedModelReading, metaGraphReading, graphDefReading, keras2Reading, fingerprintReading, tfliteReading, coremlReading, coremlWeightsReading, graphTextReading}
}

//go:embed data
var data embed.FS

// text is an embedded file.
func text(name string) string {
	b, err := data.ReadFile("data/" + name)
	if err != nil {
		panic(err) // TestData reads them all
	}
	return string(b)
}

// schema loads a schema when it is first needed.
func schema(name string) func() *protobuf.Schema {
	return sync.OnceValue(func() *protobuf.Schema {
		s, err := protobuf.ParseSchema(text(name))
		if err != nil {
			panic(err) // TestData reads them all
		}
		return s
	})
}

// list loads a list when it is first needed: each line is a name and, after a
// space, what is said about it. Names after a line "[group]" are "group/name".
func list(name string) func() map[string]string {
	return sync.OnceValue(func() map[string]string {
		entries := map[string]string{}
		group := ""
		for line := range strings.Lines(text(name)) {
			line = strings.TrimSpace(line)
			switch {
			case line == "" || line[0] == '#':
			case line[0] == '[':
				group = strings.Trim(line, "[]") + "/"
			default:
				name, note, _ := strings.Cut(line, " ")
				entries[group+name] = note
			}
		}
		return entries
	})
}

// wire opens a file as a message whose oddities become findings.
func wire(p *inspect.Pass, f *inspect.File, t *protobuf.Message) protobuf.Part {
	doc, part := protobuf.Open(f, 0, f.Size, t)
	doc.Step = p.Step
	doc.Odd = func(e *format.Error) error {
		verdict := inspect.Suspicious
		if e.Kind == format.Unsupported {
			verdict = inspect.Inconclusive
		}
		p.Find(f, inspect.Finding{Rule: ruleEncoding, Verdict: verdict, Offset: e.Off, What: e.Text, Why: "an honest writer does not write this"})
		return nil
	}
	return part
}

// glance opens a file as a message to see whether it could be one. Oddities do
// not count against it, or one of them would hide a model from its reader; very
// many fields end it.
func glance(r io.ReaderAt, off, n int64, t *protobuf.Message) protobuf.Part {
	doc, part := protobuf.Open(r, off, n, t)
	left := 1 << 20
	doc.Step = func(n int) error {
		if left -= n; left < 0 {
			return errEnough
		}
		return nil
	}
	doc.Odd = func(*format.Error) error { return nil }
	return part
}

var errEnough = errors.New("enough was seen")

// maxNames bounds the names of one graph that are kept, as hashes.
const maxNames = 400_000

// names is a set of names, kept as keyed hashes: nobody can make two collide.
type names struct {
	seed maphash.Seed
	left *int
	set  map[uint64]struct{}
	up   *names // of the graph around
}

func newNames() *names {
	left := maxNames
	return &names{maphash.MakeSeed(), &left, map[uint64]struct{}{}, nil}
}

// within returns an empty set of a graph inside.
func (n *names) within() *names { return &names{n.seed, n.left, map[uint64]struct{}{}, n} }

// alone returns an empty set that sees no other.
func (n *names) alone() *names { return &names{n.seed, n.left, map[uint64]struct{}{}, nil} }

// add puts a name in and reports whether it was not there.
func (n *names) add(name string) (fresh bool, err error) {
	h := maphash.String(n.seed, name)
	if _, ok := n.set[h]; ok {
		return false, nil
	}
	if *n.left--; *n.left < 0 {
		return false, format.Exceededf(-1, "the graph has more than %d names", maxNames)
	}
	n.set[h] = struct{}{}
	return true, nil
}

// drop gives back what the set took, once its graph has been walked.
func (n *names) drop() { *n.left += len(n.set) }

// has reports whether the name is in the set or in one around.
func (n *names) has(name string) bool {
	h := maphash.String(n.seed, name)
	for ; n != nil; n = n.up {
		if _, ok := n.set[h]; ok {
			return true
		}
	}
	return false
}
