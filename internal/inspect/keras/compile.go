package keras

import (
	"io"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

// A scope is an open object or array of a configuration.
type scope struct {
	compile bool    // it says how the model was compiled, or lies in what does
	names   bool    // texts in it name losses, metrics or an optimizer
	class   bool    // it is an object of a class, whose texts are that class's
	strange []named // texts in it that name nothing of Keras
}

// A named text stands at a byte.
type named struct {
	off  int64
	text string
}

// maxStrange is how many unknown names are kept of one list of them.
const maxStrange = 100

// more appends names as long as there are few.
func more(to []named, names ...named) []named {
	return append(to, names[:min(len(names), max(0, maxStrange-len(to)))]...)
}

// judgeCompile looks for losses, metrics and optimizers that are named by a plain
// text: those of Keras have well-known names, and all others are code that
// somebody has to register before the model can be loaded.
func judgeCompile(p *inspect.Pass, f *inspect.File) error {
	r := json.NewReader(f.Reader())
	r.Literals = true
	open := []scope{{compile: strings.HasSuffix(f.Name, "@training_config")}} // of HDF5: all of it is
	var found []named
	key := ""
	for {
		if err := p.Step(1); err != nil {
			return err
		}
		t, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		in := &open[len(open)-1]
		switch t.Kind {
		case json.Key:
			key = t.String()
			in.class = in.class || key == "class_name"
			continue
		case json.Object, json.Array:
			open = append(open, in.below(key))
		case json.ObjectEnd, json.ArrayEnd:
			open = open[:len(open)-1]
			switch above := &open[len(open)-1]; {
			case in.class:
			case above.names:
				above.strange = more(above.strange, in.strange...)
			default:
				found = more(found, in.strange...)
			}
		case json.String:
			n := named{t.Off, t.String()}
			switch strange := in.below(key).names && !known().compiles(n.text); {
			case strange && in.names:
				in.strange = more(in.strange, n)
			case strange:
				found = more(found, n)
			}
		}
		key = ""
	}
	for _, n := range found {
		p.Find(f, inspect.Finding{Rule: ruleFunction, Verdict: grave(n.text), Offset: n.off, What: n.text,
			Why: "Keras has no loss, metric or optimizer of this name: code of another's is needed to load the model"})
	}
	return nil
}

// below is the scope of a value under a key, or of an item where key is "".
func (s *scope) below(key string) scope {
	b := scope{compile: s.compile || key == "compile_config" || key == "training_config", names: s.names}
	if s.compile && slices.Contains([]string{"loss", "metrics", "weighted_metrics", "optimizer"}, key) {
		b.names = true
	}
	return b
}

// compiles reports whether a text names a loss, metric or optimizer of Keras: by
// the name of a class or function, in either case, or by a short one.
func (l *lists) compiles(name string) bool {
	switch name {
	case "", "accuracy", "acc", "crossentropy", "ce", "auto", "bce", "BCE":
		return true
	}
	return l.functions[name] || l.folded[fold(name)]
}

// fold drops what the spellings of a name differ in: "MeanSquaredError" is
// "mean_squared_error" too.
func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }
