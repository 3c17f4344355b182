package archives

import (
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/inspect"
)

// storageReading accepts what has no format: the numbers of a tensor or of an
// array, one member for each. They are read as numbers and nothing else, by the
// pickle beside them; that they are as many as it says is for those who read it
// to find.
var storageReading = inspect.Reading{
	Format: "tensor-storage", Extensions: []string{".z"}, Generic: true,
	Match: func(f *inspect.File, _ []byte) inspect.Fit {
		return fit(!f.OnDisk() && (tensor(f) || arrayOf(f)))
	},
	Inspect: func(*inspect.Pass, *inspect.File) error { return nil },
}

// tensor reports whether f is named as torch.save names storages:
// "archive/data/0" belongs to "archive/data.pkl".
func tensor(f *inspect.File) bool {
	folder, key := path.Split(f.Name)
	folder = strings.TrimSuffix(folder, "/")
	return digits(key) && (path.Base(folder) == "data" || path.Base(folder) == "constants") && beside(f, folder+".pkl")
}

// arrayOf reports whether f is named as joblib up to version 0.9 named arrays
// that it compressed: "model.pkl_01.npy.z" belongs to "model.pkl".
func arrayOf(f *inspect.File) bool {
	name, ok := strings.CutSuffix(f.Name, ".npy.z")
	at := strings.LastIndexByte(name, '_')
	return ok && at > 0 && digits(name[at+1:]) && beside(f, name[:at])
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func beside(f *inspect.File, name string) bool {
	e, ok := f.Around.Lookup(name)
	return ok && e.Regular
}
