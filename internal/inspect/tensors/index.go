package tensors

import (
	"bytes"
	"io"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

// maxShards bounds the different files that an index may name.
const maxShards = 1 << 14

// matchIndex wants an object of JSON with the map from weights to files in its
// beginning, where all writers have it.
func matchIndex(f *inspect.File, head []byte) inspect.Fit {
	if f.Ext() == ".json" && bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) && bytes.Contains(head, []byte(`"weight_map"`)) {
		return inspect.Maybe
	}
	return inspect.No
}

// inspectIndex wants every file that an index names to lie beside it: whatever
// loads the model opens them.
func inspectIndex(p *inspect.Pass, f *inspect.File) error {
	x := index{p: p, f: f, seen: map[string]bool{}}
	h := header{p: p, r: json.NewReader(f.Reader())}
	h.r.Unique = true
	if _, err := h.want(json.Object); err != nil {
		return err
	}
	mapped := false
	for {
		t, err := h.next()
		switch {
		case err != nil:
		case t.Kind == json.ObjectEnd && mapped:
			return atEndOfText(&h)
		case t.Kind == json.ObjectEnd:
			return inspect.ErrNotThis
		case t.Is("weight_map"):
			mapped = true
			err = x.weights(&h)
		default:
			err = h.r.Skip()
		}
		if err != nil && !mapped {
			return inspect.ErrNotThis
		}
		if err != nil {
			return err
		}
	}
}

// atEndOfText wants nothing more in the document.
func atEndOfText(h *header) error {
	if _, err := h.next(); err != io.EOF {
		return err
	}
	return nil
}

// An index names the files of a model's parts.
type index struct {
	p    *inspect.Pass
	f    *inspect.File
	seen map[string]bool
}

// weights reads the object from names of tensors to names of files.
func (x *index) weights(h *header) error {
	return h.texts(func(t json.Token) error {
		name := t.String()
		if x.seen[name] {
			return nil
		}
		if len(x.seen) >= maxShards {
			return format.Exceededf(t.Off, "an index names more than %d files", maxShards)
		}
		x.seen[name] = true
		x.shard(name, t.Off)
		return nil
	})
}

// shard looks where a name leads.
func (x *index) shard(name string, off int64) {
	found := inspect.Finding{Rule: ruleIndexMissing, Verdict: inspect.Inconclusive, Offset: off, What: name}
	beside := x.f.Beside(name)
	e, ok := x.f.Around.Lookup(beside)
	switch {
	case beside == "":
		found.Rule, found.Verdict = ruleIndexPath, inspect.Suspicious
		found.Why = "the name leads out of the model's folder, or can be read in more than one way"
	case len(x.f.Around.Names()) == 0 || ok && e.Regular:
		return // it lies alone: nothing can be said, and what is beside it is not loaded either
	case ok:
		found.Why = "it is a link or no file, and links are not followed"
	default:
		found.Why = "part of the model was not scanned"
	}
	x.p.Find(x.f, found)
}
