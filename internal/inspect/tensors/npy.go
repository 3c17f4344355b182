package tensors

import (
	"bytes"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/npy"
	"github.com/sallyport/sallyport/internal/inspect"
)

func matchNpy(_ *inspect.File, head []byte) inspect.Fit {
	if bytes.HasPrefix(head, []byte(npy.Magic)) {
		return inspect.Yes
	}
	return inspect.No
}

// inspectNpy wants an array to fill the file, and hands the pickle that an array
// of objects is to whoever judges pickles.
func inspectNpy(p *inspect.Pass, f *inspect.File) error {
	h, err := npy.Read(f.Cursor())
	if err != nil {
		return err
	}
	rest := f.Size - h.Start
	if h.Objects {
		objects, err := f.Section("objects.pickle", h.Start, rest) // the name says that it is one whatever it looks like
		if err != nil {
			return err
		}
		if rest == 0 {
			return format.Brokenf(f.Size, "the file ends before its objects")
		}
		return p.Inspect(objects)
	}
	switch {
	case rest < h.Size:
		return format.Brokenf(f.Size, "the file ends before its array, which takes %d bytes more", h.Size-rest)
	case rest > h.Size:
		p.Find(f, inspect.Finding{Rule: ruleLayout, Verdict: inspect.Suspicious, Offset: h.Start + h.Size, What: "trailing bytes",
			Why:  "behind the array the file has bytes that belong to none",
			Mend: "if several arrays were saved into one file, have them saved as .npz; else find out what the bytes are"})
	}
	return nil
}
