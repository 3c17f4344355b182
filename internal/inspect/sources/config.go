package sources

import (
	"bytes"
	"io"
	"strings"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
	"github.com/sallyport/sallyport/internal/inspect/configs/objects"
)

// configNames are files in which libraries look for classes to import.
var configNames = []string{
	"config.json", "tokenizer_config.json", "processor_config.json", "preprocessor_config.json", "image_processor_config.json",
	"video_preprocessor_config.json", "feature_extractor_config.json", "generation_config.json", "model_index.json",
	"modules.json", "adapter_config.json", "config_sentence_transformers.json", "scheduler_config.json",
}

func matchConfig(f *inspect.File, head []byte) inspect.Fit {
	b := bytes.TrimLeft(head, "\xef\xbb\xbf\xff\xfe\x00 \t\r\n") // in every encoding that Python's reader takes
	if len(b) == 0 || b[0] != '{' && b[0] != '[' {
		return inspect.No
	}
	for _, name := range configNames {
		if f.Base() == name {
			return inspect.Maybe
		}
	}
	if f.Ext() == ".json" && bytes.Contains(head, []byte(`"auto_map"`)) {
		return inspect.Maybe
	}
	return inspect.No
}

// A reference is a class that a configuration names for import.
type reference struct {
	off  int64
	rule *inspect.Rule
	what string // as it is written
	// module is the Python file beside the configuration, without ".py"; "" if it
	// is not one of these.
	module string
	why    string
	known  bool // the class only builds models
}

// signs are the keys of a file called base under which classes are named.
func signs(base string) []string {
	keys := []string{"auto_map", "custom_pipelines", "auto_mapping", "activation_function", "activation_fn", "custom_generate"}
	switch base {
	case "modules.json":
		keys = append(keys, "type")
	case "model_index.json":
		keys = append(keys, "_class_name")
	}
	return keys
}

func inspectConfig(p *inspect.Pass, f *inspect.File) error {
	keys := signs(f.Base())
	s, err := objects.Look(p, f)
	if err != nil {
		return err
	}
	if s.Err == nil && !s.Has(keys...) && f.Base() != "model_index.json" { // where any key may be that of a class
		return inspect.ErrNotThis
	}
	refs, err := references(p, f)
	// Without references the file is plain JSON, broken or not, which the reading
	// of that tells; unless it names some in an encoding that is not followed.
	if len(refs) == 0 && (err == nil || isFormat(err) && !objects.Mentions(f, keys...)) {
		return inspect.ErrNotThis
	}
	for _, r := range refs {
		if module, name, ok := cutLast(r.what); ok && r.known {
			p.Global(module + " " + name)
			continue
		}
		p.Find(f, inspect.Finding{Rule: r.rule, Verdict: inspect.Suspicious, Offset: r.off, What: r.what, Why: r.why})
	}
	return err
}

// modulesOf lists the modules that a configuration beside f has loaded.
func modulesOf(p *inspect.Pass, f *inspect.File, name string) []string {
	other, err := f.Around.Open(f.Beside(name))
	if err != nil {
		return nil
	}
	defer other.Close()
	var out []string
	refs, _ := references(p, other)
	for _, r := range refs {
		if r.module != "" {
			out = append(out, r.module)
		}
	}
	return out
}

// maxReferences bounds what is kept of one configuration.
const maxReferences = 1000

// A place is where a value stands in a document: the keys that lead to it, ""
// for items of an array, and how many values each of what is open has had.
type place struct {
	path  []string
	items []int
}

// references streams a configuration and collects the classes that it names.
func references(p *inspect.Pass, f *inspect.File) (refs []reference, err error) {
	in := json.NewReader(f.Reader())
	in.Literals = true
	at := place{}
	key := ""
	for {
		t, err := in.Next()
		if err == io.EOF {
			return refs, nil
		}
		if err == nil {
			err = p.Step(1)
		}
		if err != nil {
			return refs, err
		}
		switch t.Kind {
		case json.Key:
			key = t.String()
			continue
		case json.Object, json.Array:
			at.path, at.items = append(at.path, key), append(at.items, 0)
			key = ""
			continue
		case json.ObjectEnd, json.ArrayEnd:
			at.path, at.items = at.path[:len(at.path)-1], at.items[:len(at.items)-1]
		case json.String:
			if r, ok := at.reference(f.Base(), key, t.String()); ok && len(refs) < maxReferences {
				r.off = t.Off
				refs = append(refs, r)
			}
		}
		if n := len(at.items); n > 0 {
			at.items[n-1]++
		}
		key = ""
	}
}

// under reports whether one of the keys around the value is the given one.
func (at place) under(key string) bool {
	for _, k := range at.path {
		if k == key {
			return true
		}
	}
	return false
}

// reference judges one string of a configuration file called file.
func (at place) reference(file, key, value string) (reference, bool) {
	depth := len(at.path)
	switch {
	case at.under("auto_map"), at.under("custom_pipelines") && key == "impl":
		return remote(value), true
	case key == "parent_library" && at.under("auto_mapping"):
		return library(value), true
	case file == "modules.json" && key == "type":
		return dotted(value), true
	case (key == "activation_function" || key == "activation_fn") && strings.Contains(value, "."):
		return dotted(value), true
	case key == "custom_generate":
		return remote("custom_generate/generate.py"), true
	case file == "model_index.json" && depth == 2 && at.items[1] == 0 && at.path[1] == "_class_name":
		r := remote(value + ".")
		r.what = value
		return r, true
	case file == "model_index.json" && depth == 2 && at.items[1] == 0 && !strings.HasPrefix(at.path[1], "_"):
		return library(value), true
	}
	return reference{}, false
}

// remote is "module.Class", perhaps in another repository: "owner/repo--module.Class".
func remote(value string) reference {
	r := reference{rule: ruleRemote, what: value}
	repo, name, other := strings.Cut(value, "--")
	if other {
		r.why = "with trust_remote_code, libraries fetch the code of another repository and run it: " + repo
		return r
	}
	if !other {
		name = value
	}
	r.module, _, _ = cutLast(name)
	r.why = "with trust_remote_code, libraries run " + r.module + ".py, which comes with the model"
	return r
}

// library is a module that a class comes from: one of the libraries, or a file
// that comes with the model.
func library(value string) reference {
	if classes()[value] == "library" {
		return reference{what: value, known: true}
	}
	return reference{rule: ruleNamed, what: value, module: value, why: "the class comes from a module that no library is known to have, or a file of the model"}
}

// dotted is a class by its full name.
func dotted(value string) reference {
	r := reference{rule: ruleNamed, what: value, why: "libraries import the name and call it"}
	if r.known = classes()[value] == "exact"; !r.known {
		for i := range len(value) {
			r.known = r.known || value[i] == '.' && classes()[value[:i+1]] == "prefix"
		}
	}
	if !r.known {
		r.module, _, _ = cutLast(value)
	}
	return r
}
