package evidence

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
)

// A model folder holds the files that a run wrote and, among them, these.
const (
	SignatureFile  = "model.sig"                             // OpenSSF Model Signing bundle
	Dir            = "model.evidence"                        // everything else that vouches for the folder
	ProvenanceFile = "model.evidence/provenance.intoto.json" // DSSE envelope of SLSA provenance
	ScanFile       = "model.evidence/scan.intoto.json"       // DSSE envelope of the scan's test result
	VulnsFile      = "model.evidence/vulns.intoto.json"      // DSSE envelope of the check of the run's dependencies
	EntryFile      = "model.evidence/ledger.entry"           // the ledger's leaf that holds the digests of the four
	ProofFile      = "model.evidence/ledger.tlog-proof"      // C2SP tlog-proof of the leaf
)

// Own lists the paths to have SignModel record as not covered by it.
var Own = []string{SignatureFile, Dir}

// An InclusionFunc returns nil if proof shows that leaf is in the log that the
// verifier trusts. An error of kind Unknown says that this cannot be decided.
type InclusionFunc func(proof, leaf []byte) error

// The names of the checks, in order.
const (
	checkSignature  = "model signature"
	checkProvenance = "provenance"
	checkSigner     = "signers"
	checkFiles      = "model files"
	checkSubjects   = "provenance files"
	checkScan       = "scan"
	checkVulns      = "dependencies"
	checkEntry      = "ledger entry"
	checkInclusion  = "ledger inclusion"
	checkRevoked    = "not revoked"
)

// VerifyFolder checks a model folder offline. The argument, from the last link
// to the first:
//
//   - the log's key signed a checkpoint whose tree has the entry (inclusion);
//   - the entry, which is about this run, holds the digests of the four files
//     of evidence (entry), which fixes every bit of them;
//   - trusted keys signed them (signature, provenance, scan, dependencies), and a
//     signer may vouch for such a run (signers);
//   - they name the digests of the files in the folder, and the folder holds
//     no other file (files);
//   - each of these files passed the scan (scan), and what made them passed the
//     check of dependencies when it ran (dependencies).
//
// That the site has not taken its word back since is one more question: a fresh
// list of revocations says so (revoked).
//
// Hence no bit of the folder can change without one of the checks failing. A
// check whose grounds are missing is Unknown, and a missing file fails. The
// error is for what keeps the checks from starting; the report has the rest.
func VerifyFolder(dir string, trust Trust, included InclusionFunc, revoked RevokedFunc) (Report, error) {
	signers, err := trust.signers("trust.json")
	if err != nil {
		return Report{}, err
	}
	root, err := openFolder(dir)
	if err != nil {
		return Report{}, err
	}
	defer root.Close()
	f := folder{root: root, signers: signers}
	f.verifySignature()
	f.verifyProvenance()
	f.verifySigners()
	f.verifyFiles()
	f.verifyScan()
	f.verifyVulns()
	f.verifyEntry()
	f.verifyInclusion(included)
	f.verifyRevoked(revoked)
	return f.report, nil
}

// folder is a verification under way. What a check established is set, and
// nil until then.
type folder struct {
	root    *os.Root
	signers []signer
	report  Report

	signature, envelope, scan, vulns, leaf []byte // as read, whatever they turn out to be
	model                                  *Model
	subjects                               map[string]sallyport.Digest
	provenance                             *Provenance
	by                                     []signer // of the provenance
	entry                                  *Entry
}

var errGrounds = sallyport.Errorf(sallyport.Unknown, "not checked, because an earlier check did not pass").
	Try("mend what the earlier check says first")

func (f *folder) keys() []Key {
	keys := make([]Key, len(f.signers))
	for i, s := range f.signers {
		keys[i] = s.Key
	}
	return keys
}

// who returns the signers whose keys these are.
func (f *folder) who(keys []Key) []signer {
	var out []signer
	for _, s := range f.signers {
		if slices.ContainsFunc(keys, func(k Key) bool { return k.ID == s.ID }) {
			out = append(out, s)
		}
	}
	return out
}

func (f *folder) verifySignature() {
	m, err := f.openSignature()
	if err != nil {
		f.report.add(checkSignature, "", err)
		return
	}
	f.model = m
	f.report.Signed = append(f.report.Signed, Signed{SignatureFile, m.Signer})
	f.report.add(checkSignature, "signed by "+m.Signer.String(), nil)
}

func (f *folder) openSignature() (*Model, error) {
	var err error
	if f.signature, err = readBelow(f.root, SignatureFile, maxEvidence); err != nil {
		return nil, err
	}
	m, err := OpenModel(SignatureFile, f.signature, Authority{Keys: f.keys()})
	if err == nil && !m.plain() {
		return nil, badModel(SignatureFile, "it does not list whole files by SHA-256")
	}
	return m, err
}

func (f *folder) verifyProvenance() {
	p, by, err := f.openProvenance()
	if err != nil {
		f.report.add(checkProvenance, "", err)
		return
	}
	names := make([]string, len(by))
	for i, k := range by {
		names[i] = k.String()
		f.report.Signed = append(f.report.Signed, Signed{ProvenanceFile, k})
	}
	f.by = f.who(by)
	f.provenance, f.report.Provenance = &p, &p
	f.report.add(checkProvenance, p.RunDetails.Metadata.InvocationID+", signed by "+strings.Join(names, " and "), nil)
}

func (f *folder) openProvenance() (Provenance, []Key, error) {
	var err error
	if f.envelope, err = readBelow(f.root, ProvenanceFile, maxEvidence); err != nil {
		return Provenance{}, nil, err
	}
	statement, by, err := Open(ProvenanceFile, f.envelope, f.keys())
	if err != nil {
		return Provenance{}, nil, err
	}
	p, err := ReadProvenance(ProvenanceFile, statement)
	if err != nil {
		return Provenance{}, nil, err
	}
	f.subjects, err = subjects(ProvenanceFile, statement)
	return p, by, err
}

// subjects returns the files that a statement is about.
func subjects(place string, s Statement) (map[string]sallyport.Digest, error) {
	files := make(map[string]sallyport.Digest, len(s.Subject))
	for _, d := range s.Subject {
		digest, ok := d.sha256()
		if _, twice := files[d.Name]; !ok || twice || !validName(d.Name) {
			return nil, notProvenance(place, "a subject is not one file with a SHA-256 digest")
		}
		files[d.Name] = digest
	}
	return files, nil
}

// verifySigners checks that those who vouch for the run and for its files may
// run code on such data.
func (f *folder) verifySigners() {
	if f.provenance == nil || f.model == nil {
		f.report.add(checkSigner, "", errGrounds)
		return
	}
	data := f.provenance.BuildDefinition.ExternalParameters.Data
	var err error
	if !mayHaveRun(f.by, data) || !mayHaveRun(f.who([]Key{f.model.Signer}), data) {
		err = sallyport.Errorf(sallyport.Refused, "a signer may not run code on %s data", data).
			Try("ask the site who ran it, and as what")
	}
	f.report.add(checkSigner, fmt.Sprintf("may run code on %s data", data), err)
}

// mayHaveRun reports whether by may have vouched for a run on data: the site
// itself, or a principal whose roles allow it.
func mayHaveRun(by []signer, data Data) bool {
	return slices.ContainsFunc(by, func(s signer) bool {
		if s.principal == nil || data == Twin {
			return true
		}
		return sallyport.Principal{Name: s.Name, Roles: s.principal.Roles}.May(sallyport.RunReal) == nil
	})
}
