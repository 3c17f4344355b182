package evidence

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/sallyport/sallyport"
)

// verifyFiles reads every file of the folder once and compares it with both
// lists. The model signature cannot cover what the specification leaves out
// (unsigned); the provenance covers every file.
func (f *folder) verifyFiles() {
	signed := make(map[string]sallyport.Digest)
	if f.model != nil {
		for name, parts := range f.model.files {
			signed[name] = sallyport.DigestOf([sha256.Size]byte(parts[0].digest))
		}
	}
	made := maps.Clone(f.subjects)
	var signedDiff, madeDiff Difference
	var count, size int64
	skip := func(name string) bool {
		return slices.Contains([]string{SignatureFile, ProvenanceFile, ScanFile, VulnsFile, EntryFile, ProofFile}, name)
	}
	err := walk(f.root, false, skip, func(name string) error {
		digest, n, err := sum(f.root, name)
		if err != nil {
			return err
		}
		count, size = count+1, size+n
		madeDiff.compare(made, name, digest)
		if !under(unsigned, name) {
			signedDiff.compare(signed, name, digest)
		}
		return nil
	})
	signedDiff.rest(signed)
	madeDiff.rest(made)
	detail := fmt.Sprintf("%d files, %d bytes, as signed", count, size)
	f.addDifference(checkFiles, detail, f.model != nil, signedDiff, err)
	f.addDifference(checkSubjects, detail, f.provenance != nil, madeDiff, err)
}

func (f *folder) addDifference(name, detail string, grounds bool, d Difference, err error) {
	switch {
	case !grounds:
		f.report.add(name, "", errGrounds)
	case err != nil:
		f.report.add(name, "", err)
	default:
		f.report.add(name, detail, d.err("model folder"))
	}
}

// compare strikes name off listed, noting where it differs.
func (d *Difference) compare(listed map[string]sallyport.Digest, name string, digest sallyport.Digest) {
	want, ok := listed[name]
	switch {
	case !ok:
		d.Extra.add(name)
	case want != digest:
		d.Changed.add(name)
	}
	delete(listed, name)
}

// rest notes as missing what is still listed.
func (d *Difference) rest(listed map[string]sallyport.Digest) {
	for name := range listed {
		d.Missing.add(name)
	}
}

// sum returns the digest and the size of a file.
func sum(root *os.Root, name string) (sallyport.Digest, int64, error) {
	f, err := openFile(root, name, false)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return "", 0, unread(name, err)
	}
	return sallyport.DigestOf([sha256.Size]byte(h.Sum(nil))), n, nil
}
