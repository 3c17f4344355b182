package evidence

import (
	"slices"

	"github.com/sallyport/sallyport"
)

// runFinished is the kind of the ledger entry that ends a run.
const runFinished = "run.finished"

// maxEntry bounds a ledger entry and its proof, in bytes.
const maxEntry = 1 << 20

// An Entry is the part of a ledger entry that says what evidence it holds.
type Entry struct {
	Kind   string                      `json:"kind"`
	By     string                      `json:"by"`
	Object string                      `json:"object"` // "run/" and the run's ID
	Holds  map[string]sallyport.Digest `json:"holds"`  // by name in the site
}

// ParseEntry reads a ledger entry as its leaf in the log holds it; place names
// it in errors. It proves nothing about the log.
func ParseEntry(place string, leaf []byte) (Entry, error) {
	var e Entry
	if err := decode(place, leaf, open, &e); err != nil {
		return e, err
	}
	if e.Kind != runFinished {
		return e, sallyport.Errorf(sallyport.Invalid, "the ledger entry is not about the end of a run").At("%s", place).
			Try("get the folder again from the site that ran it")
	}
	return e, nil
}

// holds reports whether the entry names the digest of data. The names are not
// compared: a folder may be given another name than it had in the site.
func (e Entry) holds(data []byte) bool {
	digest := sallyport.Sum(data)
	for _, held := range e.Holds {
		if held == digest {
			return true
		}
	}
	return false
}

// verifyEntry checks that the ledger entry is about this run and holds the
// digests of its evidence.
func (f *folder) verifyEntry() {
	entry, err := f.openEntry()
	if err != nil {
		f.report.add(checkEntry, "", err)
		return
	}
	f.entry = &entry
	f.report.add(checkEntry, "holds the digests of all the evidence", nil)
}

func (f *folder) openEntry() (Entry, error) {
	var err error
	if f.leaf, err = readBelow(f.root, EntryFile, maxEntry); err != nil {
		return Entry{}, err
	}
	if f.model == nil || f.provenance == nil {
		return Entry{}, errGrounds
	}
	e, err := ParseEntry(EntryFile, f.leaf)
	if err != nil {
		return e, err
	}
	why := ""
	switch {
	case !e.holds(f.signature):
		why = "does not hold the digest of " + SignatureFile
	case !e.holds(f.envelope):
		why = "does not hold the digest of " + ProvenanceFile
	case !e.holds(f.scan):
		why = "does not hold the digest of " + ScanFile
	case !e.holds(f.vulns):
		why = "does not hold the digest of " + VulnsFile
	case e.Object != f.provenance.RunDetails.Metadata.InvocationID:
		why = "is about another run than the provenance"
	case !slices.ContainsFunc(f.by, func(s signer) bool { return s.principal == nil || s.Name == e.By }):
		why = "names another principal than the one who signed the provenance"
	default:
		return e, nil
	}
	return e, sallyport.Errorf(sallyport.Refused, "the ledger entry %s", why).At(EntryFile).
		Try("get the folder again from the site that ran it")
}

func (f *folder) verifyInclusion(included InclusionFunc) {
	err := f.include(included)
	if err == nil {
		f.report.Entry = f.entry
	}
	f.report.add(checkInclusion, "the entry is in the ledger", err)
}

func (f *folder) include(included InclusionFunc) error {
	proof, err := readBelow(f.root, ProofFile, maxEntry)
	switch {
	case err != nil:
		return err
	case f.entry == nil:
		return errGrounds
	case included == nil:
		return sallyport.Errorf(sallyport.Unknown, "there is nothing to check the proof with").At(ProofFile)
	}
	return included(proof, f.leaf)
}
