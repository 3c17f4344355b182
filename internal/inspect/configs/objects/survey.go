package objects

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

// Signs are the keys by which inspectors know that a document may be theirs:
// one without them, however long, is read once for all inspectors together.
var Signs = []string{
	"class_name", // of Keras
	"__loader__", // of skops
	// of the libraries of Hugging Face
	"auto_map", "custom_pipelines", "auto_mapping", "activation_function", "activation_fn", "custom_generate", "type", "_class_name",
}

// A Survey is what a first reading of a document has shown.
type Survey struct {
	Err  error // the *format.Error by which it is not JSON as Python writes it; nil: it is
	seen []bool
}

// Look reads a document to its end, or to where it breaks, the first time that it
// is asked of a file.
func Look(p *inspect.Pass, f *inspect.File) (*Survey, error) {
	return inspect.Recall(f, "survey of JSON", func() (*Survey, error) { return survey(p, f.Reader()) })
}

func survey(p *inspect.Pass, src io.Reader) (*Survey, error) {
	s := &Survey{seen: make([]bool, len(Signs))}
	r := json.NewReader(src)
	r.Literals = true
	for {
		if err := p.Step(1); err != nil {
			return nil, err
		}
		t, err := r.Next()
		if err == io.EOF {
			return s, nil
		}
		if err != nil && errors.As(err, new(*format.Error)) {
			s.Err = err
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		if t.Kind == json.Key {
			s.note(t)
		}
	}
}

func (s *Survey) note(t json.Token) {
	for i, name := range Signs {
		if t.Is(name) {
			s.seen[i] = true
			return
		}
	}
}

// Has reports whether an object of the document, up to where it breaks, has one
// of the keys, which are Signs.
func (s *Survey) Has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return s.seen[slices.Index(Signs, key)] })
}

// Mentions reports whether one of the keys stands in the beginning of a file
// that is not JSON as it should be, in whatever encoding.
func Mentions(f *inspect.File, keys ...string) bool {
	head := make([]byte, min(f.Size, 1<<20))
	n, _ := f.ReadAt(head, 0)
	plain := bytes.ReplaceAll(head[:n], []byte{0}, nil)
	return slices.ContainsFunc(keys, func(key string) bool { return bytes.Contains(plain, []byte(`"`+key+`"`)) })
}
