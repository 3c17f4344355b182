package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport"
)

const (
	// ModelType is the predicate type of a model signature, version 1.
	ModelType = "https://model_signing/signature/v1.0"

	bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// bundle is a Sigstore bundle. Source: Sigstore bundle v0.3, OpenSSF Model
// Signing v1.0.
type bundle struct {
	MediaType            string   `json:"mediaType"`
	VerificationMaterial material `json:"verificationMaterial"`
	Envelope             Envelope `json:"dsseEnvelope"`
}

// material says how the signature can be verified. We write PublicKey.
type material struct {
	PublicKey   *keyHint          `json:"publicKey,omitempty"`
	Chain       *chain            `json:"x509CertificateChain,omitempty"`
	Certificate json.RawMessage   `json:"certificate,omitempty"` // of Sigstore's own authority
	TLogEntries []json.RawMessage `json:"tlogEntries"`           // the reference misses the key if it is left out
}

type keyHint struct {
	Hint string `json:"hint"`
}

// modelPredicate lists the digests of a model's files.
type modelPredicate struct {
	Serialization serialization `json:"serialization"`
	Resources     []resource    `json:"resources"`
}

type serialization struct {
	Method        string   `json:"method"` // "files" or "shards"
	HashType      string   `json:"hash_type"`
	AllowSymlinks bool     `json:"allow_symlinks"`
	IgnorePaths   []string `json:"ignore_paths,omitempty"`
}

type resource struct {
	Name      string `json:"name"`
	Digest    string `json:"digest"`
	Algorithm string `json:"algorithm"`
}

// unsigned are the names at the top of a model folder that OpenSSF Model
// Signing never covers. What a run writes there is covered by its provenance.
var unsigned = []string{".git", ".gitattributes", ".github", ".gitignore"}

// SignModel returns the OpenSSF Model Signing bundle of the model called name
// with these files, whose digests the caller has computed; nothing is hashed
// again. Paths in ignore, and all below them, are recorded as not covered; a
// file among them is an error, since nobody would notice if it were changed.
//
// The bundle has the one shape that every verifier accepts: the method
// "files", SHA-256, one signature by one key.
func SignModel(signer Signer, name string, files []File, ignore []string) ([]byte, error) {
	sorted, err := checked(files)
	if err != nil {
		return nil, err
	}
	for _, f := range sorted {
		if under(ignore, f.Name) {
			return nil, sallyport.Errorf(sallyport.Invalid, "a file has a name that is kept for evidence").At("%q", f.Name).
				Try("have the stage write it under another name")
		}
	}
	sorted = slices.DeleteFunc(sorted, func(f File) bool { return under(unsigned, f.Name) })
	if len(sorted) == 0 {
		return nil, sallyport.Errorf(sallyport.Invalid, "there is no file to sign").Try("sign a folder that a run wrote files into")
	}

	ignored := slices.Concat(ignore, unsigned)
	slices.Sort(ignored)
	predicate := modelPredicate{Serialization: serialization{Method: "files", HashType: "sha256", IgnorePaths: slices.Compact(ignored)}}
	root := sha256.New()
	for _, f := range sorted {
		raw, err := hex.DecodeString(f.SHA256.Hex())
		if err != nil {
			return nil, err
		}
		root.Write(raw)
		predicate.Resources = append(predicate.Resources, resource{f.Name, f.SHA256.Hex(), "sha256"})
	}
	subject := Descriptor{Name: name, Digest: map[string]string{"sha256": hex.EncodeToString(root.Sum(nil))}}
	statement, err := newStatement(ModelType, []Descriptor{subject}, predicate)
	if err != nil {
		return nil, err
	}
	return seal(signer, statement)
}

// seal wraps a statement into a bundle with signer's key as its hint.
func seal(signer Signer, statement Statement) ([]byte, error) {
	e, err := Seal(statement, signer)
	if err != nil {
		return nil, err
	}
	hint := e.Signatures[0].KeyID
	e.Signatures[0].KeyID = "" // in a bundle the hint has a place of its own
	return bounded(bundle{bundleType, material{PublicKey: &keyHint{hint}, TLogEntries: []json.RawMessage{}}, e})
}

// checked returns files in order of name, by code point, after checking that
// every name is one file of its own below the folder and every digest is one.
func checked(files []File) ([]File, error) {
	sorted := slices.SortedFunc(slices.Values(files), func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	for i, f := range sorted {
		why := ""
		if !validName(f.Name) {
			why = "is not a path below the folder"
		}
		if i > 0 && sorted[i-1].Name == f.Name {
			why = "is given twice"
		}
		if d, err := sallyport.ParseDigest(string(f.SHA256)); err != nil || d != f.SHA256 {
			why = "has no SHA-256 digest"
		}
		if why != "" {
			return nil, sallyport.Errorf(sallyport.Invalid, "the file %q %s", f.Name, why).
				Try("name each file once, by a relative path with slashes")
		}
	}
	return sorted, nil
}

// validName reports whether name is the path of a file below a folder, in the
// one spelling that all parsers read alike.
func validName(name string) bool {
	return fs.ValidPath(name) && name != "." && utf8.ValidString(name) && !strings.ContainsRune(name, 0)
}

// under reports whether name is one of paths or below one.
func under(paths []string, name string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		return name == p || strings.HasPrefix(name, p+"/")
	})
}
