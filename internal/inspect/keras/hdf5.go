package keras

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/hdf5"
	"github.com/sallyport/sallyport/internal/inspect"
)

func matchHDF5(f *inspect.File, _ []byte) inspect.Fit {
	if hdf5.Find(f, f.Size) >= 0 {
		return inspect.Yes
	}
	return inspect.No
}

// inspectHDF5 judges an HDF5 file, whether Keras wrote it or not.
func inspectHDF5(p *inspect.Pass, f *inspect.File) error {
	h := &hdf5File{p: p, f: f}
	end, err := hdf5.Walk(f, f.Size, hdf5.Find(f, f.Size), hdf5.Visit{
		Step: p.Step, Attribute: h.attribute, Link: h.link, Storage: h.storage,
	})
	if err == nil && end < f.Size {
		p.Find(f, inspect.Finding{Rule: ruleTail, Verdict: inspect.Suspicious, Offset: end,
			What: fmt.Sprintf("%d bytes", f.Size-end), Why: "no reader of HDF5 looks at them, but others may"})
	}
	return err
}

// An hdf5File is one under inspection.
type hdf5File struct {
	p       *inspect.Pass
	f       *inspect.File
	pickled *hdf5.Object // the data set under way, if its values are pickles
}

// attribute looks for configurations of Keras and for pickles. PyTables, which
// pandas uses, unpickles the strings among attributes that end in a full stop.
func (h *hdf5File) attribute(a *hdf5.Attribute) error {
	if a.Object.Path() == "/" && (a.Name == "model_config" || a.Name == "training_config") {
		return a.Values(func(off, n int64) error { return h.config(a, off, n, true) })
	}
	text := a.Type.Class == hdf5.String || a.Type.Text
	if !text && a.Type.Class != hdf5.Opaque && a.Type.Size > 1 {
		return nil
	}
	return a.Values(func(off, n int64) error {
		n, err := h.trim(off, n)
		if err != nil || n < 2 {
			return err
		}
		var ends [2]byte
		h.f.ReadAt(ends[:1], off)
		h.f.ReadAt(ends[1:], off+n-1)
		switch {
		case ends == [2]byte{'{', '}'} || ends == [2]byte{'[', ']'}:
			return h.config(a, off, n, false)
		case ends[1] == '.' && a.Count == 1:
			return h.pickle(a, off, n)
		case (a.Name == "PSEUDOATOM" || a.Name == "FLAVOR") && n == int64(len("object")):
			return h.pseudoAtom(a, off, n)
		}
		return nil
	})
}

// trim returns the length of a value without the NULs that fill it up.
func (h *hdf5File) trim(off, n int64) (int64, error) {
	var buf [512]byte
	for n > 0 {
		b := buf[:min(n, int64(len(buf)))]
		if m, err := h.f.ReadAt(b, off+n-int64(len(b))); m < len(b) {
			return 0, err
		}
		left := len(bytes.TrimRight(b, "\x00"))
		if n -= int64(len(b) - left); left > 0 {
			break
		}
	}
	return n, nil
}

// value is an attribute's value as a file of its own.
func (h *hdf5File) value(a *hdf5.Attribute, off, n int64) (*inspect.File, error) {
	return h.f.Section(strings.Trim(a.Object.Path(), "/")+"@"+a.Name, off, n)
}

// config judges a value that is a configuration, or surely should be.
func (h *hdf5File) config(a *hdf5.Attribute, off, n int64, surely bool) error {
	n, err := h.trim(off, n)
	if err != nil {
		return err
	}
	part, err := h.value(a, off, n)
	if err != nil {
		return err
	}
	if !surely {
		is, err := isConfig(h.p, part, false)
		if format.Is(err, format.Broken) {
			return nil // some other text in brackets
		}
		if err != nil || !is {
			return err
		}
	}
	var broken *format.Error
	if err := judge(h.p, part); errors.As(err, &broken) {
		return &format.Error{Kind: broken.Kind, Off: off + broken.Off, Text: "in a configuration: " + broken.Text}
	} else if err != nil {
		return err
	}
	return nil
}

// pickle has a value inspected that may be a pickle: one that names anything
// has line feeds or bytes beyond ASCII.
func (h *hdf5File) pickle(a *hdf5.Attribute, off, n int64) error {
	head := make([]byte, min(n, 4096))
	if m, err := h.f.ReadAt(head, off); m < len(head) {
		return err
	}
	if !bytes.ContainsFunc(head, func(r rune) bool { return r < ' ' || r > '~' }) && int64(len(head)) == n {
		return nil
	}
	part, err := h.value(a, off, n)
	if err != nil {
		return err
	}
	return h.p.Inspect(part)
}

// pseudoAtom finds data sets whose values are pickles: of PyTables from 2.0 on,
// and before.
func (h *hdf5File) pseudoAtom(a *hdf5.Attribute, off, n int64) error {
	text := make([]byte, n)
	if m, err := h.f.ReadAt(text, off); m < len(text) {
		return err
	}
	if string(text) == "object" || string(text) == "Object" {
		h.pickled = a.Object
	}
	return nil
}

// pickles has the values of a data set inspected that PyTables, and pandas with
// it, unpickles when it reads them.
func (h *hdf5File) pickles(s *hdf5.Storage) error {
	i := 0
	err := s.Values(func(off, n int64) error {
		part, err := h.f.Section(fmt.Sprintf("%s[%d]", strings.Trim(s.Object.Path(), "/"), i), off, n)
		if err != nil {
			return err
		}
		i++
		return h.p.Inspect(part)
	})
	if format.Is(err, format.Unsupported) {
		h.p.Find(h.f, inspect.Finding{Rule: rulePickles, Verdict: inspect.Inconclusive, Offset: s.Off, What: s.Object.Path(),
			Why: "pandas and PyTables unpickle its values, which are stored in a way that is not followed"})
		return nil
	}
	return err
}

// link judges what is a link and not an object. Soft links stay in the file.
func (h *hdf5File) link(l *hdf5.Link) error {
	if l.Type == hdf5.Soft {
		return nil
	}
	found := inspect.Finding{Rule: ruleLink, Verdict: inspect.Suspicious, Offset: l.Off}
	if l.Type == hdf5.External {
		found.Verdict = reaching(l.File)
		found.What = l.Name + ": " + l.File
		found.Why = "whoever reads the member opens this file"
	} else {
		found.What = fmt.Sprintf("%s, a link of type %d", l.Name, l.Type)
		found.Why = "what it means is up to the program that reads it"
	}
	h.p.Find(h.f, found)
	return nil
}

// reaching is the verdict on a name of another file.
func reaching(name string) inspect.Verdict {
	if outside(name) {
		return inspect.Malicious
	}
	return inspect.Suspicious
}

// filters are those of the library and those that are registered and widely
// installed: lzo, bzip2, lzf, blosc, mafisc, snappy, lz4, appax, bitshuffle,
// spdp, lpc-rice, ccsds-123, jpeg-ls, zfp, fpzip, zstd, b3d, sz, fci-compress,
// blosc2, bitround, jpeg, granular bitround, sz3, lerc.
var filters = [...]uint16{1, 2, 3, 4, 5, 6, 305, 307, 32000, 32001, 32002, 32003, 32004, 32005, 32008, 32009, 32010, 32011,
	32012, 32013, 32014, 32015, 32016, 32017, 32018, 32019, 32021, 32022, 32023, 32024, 32025, 32026, 32027, 32028}

// storage judges where the values of a data set are.
func (h *hdf5File) storage(s *hdf5.Storage) error {
	if h.pickled == s.Object {
		if err := h.pickles(s); err != nil {
			return err
		}
	}
	for _, file := range s.Files {
		h.p.Find(h.f, inspect.Finding{Rule: ruleStorage, Verdict: reaching(file.Name), Offset: file.Off, What: s.Object.Path() + ": " + file.Name,
			Why: "whoever reads the data set reads this file as its values"})
	}
	for _, file := range s.Sources {
		h.p.Find(h.f, inspect.Finding{Rule: ruleStorage, Verdict: reaching(file.Name), Offset: file.Off, What: s.Object.Path() + ": " + file.Name,
			Why: "the data set is put together of data sets in this file and perhaps others"})
	}
	if s.Layout == hdf5.Virtual && len(s.Sources) == 0 {
		h.p.Find(h.f, inspect.Finding{Rule: ruleStorage, Verdict: inspect.Suspicious, Offset: s.Off, What: s.Object.Path(),
			Why: "the data set is put together of others"})
	}
	for _, x := range s.Filters {
		if !slices.Contains(filters[:], x.ID) {
			h.p.Find(h.f, inspect.Finding{Rule: ruleFilter, Verdict: inspect.Inconclusive, Offset: x.Off, What: fmt.Sprintf("filter %d", x.ID),
				Why: "the library loads a plugin for it, and the values cannot be read without"})
		}
	}
	return nil
}
