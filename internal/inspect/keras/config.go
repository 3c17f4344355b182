package keras

import (
	"bytes"
	"errors"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
	"github.com/sallyport/sallyport/internal/inspect/configs/objects"
)

// watched are the members that a judgement depends on.
var watched = []string{
	"class_name", "module", "registered_name", "config", "model_config", "spec_name", "function", "method_name", "attr_name",
	"cls_ref", "vocabulary", "proto", "merges", "idf_weights", "filepath",
}

// matchConfig lets through all that may be JSON, in every encoding that Python's
// reader takes.
func matchConfig(_ *inspect.File, head []byte) inspect.Fit {
	rest := bytes.TrimLeft(head, "\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
	if len(head) > 0 && len(rest) == 0 || len(rest) > 0 && (rest[0] == '{' || rest[0] == '[') {
		return inspect.Maybe
	}
	return inspect.No
}

// inspectConfig judges a configuration in a file of its own.
func inspectConfig(p *inspect.Pass, f *inspect.File) error {
	is, err := isConfig(p, f, beside(f))
	var broken *format.Error
	switch {
	case errors.As(err, &broken) && (beside(f) || mayBe(f, broken)):
		return err
	case errors.As(err, &broken):
		return inspect.ErrNotThis
	case err != nil:
		return err
	case !is:
		return inspect.ErrNotThis
	}
	return judge(p, f)
}

// beside reports whether the file is the configuration of the weights that lie
// beside it.
func beside(f *inspect.File) bool {
	if f.Base() != "config.json" {
		return false
	}
	for _, name := range [...]string{"model.weights.h5", "model.weights.json"} {
		if _, ok := f.Around.Lookup(f.Beside(name)); ok {
			return true
		}
	}
	return false
}

// isConfig reports whether a document is a configuration: an object of class and
// configuration, or one that holds such objects where a program looks for them.
// Anywhere says that it is enough that it holds some.
func isConfig(p *inspect.Pass, f *inspect.File, anywhere bool) (bool, error) {
	return objects.Any(p, f, "class_name", watched, func(o *objects.Object) bool {
		_, module := o.Kinds["module"]
		_, registered := o.Kinds["registered_name"]
		return o.Has("class_name") && o.Has("config") && (o.Depth == 0 || anywhere || module || registered || o.Key == "model_config")
	})
}

// mayBe reports whether a file that our reader refuses may be a configuration to
// Python's, which takes marks, UTF-16, halves of surrogate pairs and any depth:
// it is so written, and names a class near its beginning.
func mayBe(f *inspect.File, refused *format.Error) bool {
	head := make([]byte, min(f.Size, 1<<20))
	n, _ := f.ReadAt(head, 0)
	plain := bytes.ReplaceAll(head[:n], []byte{0}, nil)
	lenient := len(plain) < n || refused.Kind != format.Broken || bytes.HasPrefix(plain, []byte("\xef\xbb\xbf")) ||
		bytes.Contains(plain, []byte(`\ud`)) || bytes.Contains(plain, []byte(`\uD`))
	return lenient && bytes.Contains(plain, []byte(`"class_name"`))
}

// judge judges all that a configuration names.
func judge(p *inspect.Pass, f *inspect.File) error {
	j := &judgement{p: p, f: f}
	r := objects.Reader{Watched: watched, Kept: []string{"config", "function"}, Unique: true, Ended: func(o *objects.Object) error {
		j.object(o)
		return nil
	}}
	if err := r.Read(p, f.Reader()); err != nil {
		return err
	}
	return judgeCompile(p, f)
}
