package deps

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/installed"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/pep740"
)

// Attested is an archive of which somebody has proven where it was made.
type Attested struct {
	File      string           `json:"file"`
	Publisher pep740.Publisher `json:"publisher"`
}

// Archives is what a folder of wheels and source distributions came to.
type Archives struct {
	Problems []installed.Problem
	Attested []Attested
	findings []Finding // about attestations
}

// attestations are the endings of files that hold attestations of the file whose
// name precedes: as it lies beside what was uploaded, and as an index serves it.
var attestations = []string{".publish.attestation", ".slsa.attestation", ".provenance"}

// maxAttestation bounds a file of attestations, in bytes. Real ones take 10 KiB.
const maxAttestation = 4 << 20

// ReadArchives holds the archives of a folder against a lock, and verifies the
// attestations (PEP 740) that lie beside them.
func ReadArchives(ctx context.Context, list *lockfile.List, fsys fs.FS) (*Archives, error) {
	problems, err := installed.CheckFiles(ctx, list, fsys)
	if err != nil {
		return nil, err
	}
	a := &Archives{Problems: slices.DeleteFunc(problems, func(p installed.Problem) bool { return attested(p.Path) != "" })}
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || attested(name) == "" || !d.Type().IsRegular() {
			return err
		}
		return a.verify(fsys, name)
	})
	return a, err
}

// attested is the file that attestations of this name are about, or "".
func attested(name string) string {
	for _, ending := range attestations {
		if file, ok := strings.CutSuffix(name, ending); ok {
			return file
		}
	}
	return ""
}

func (a *Archives) verify(fsys fs.FS, name string) error {
	file := attested(name)
	digest, err := digestIn(fsys, file)
	if errors.Is(err, fs.ErrNotExist) {
		a.found(name, Unknown, "it attests a file that is not there")
		return nil
	} else if err != nil {
		return err
	}
	data, err := readAttestation(fsys, name)
	if err != nil {
		return err
	}
	all, err := pep740.Verify(name, data, path.Base(file), digest)
	if err != nil {
		verdict := Blocked
		if sallyport.Is(err, sallyport.Unknown) {
			verdict = Unknown
		}
		a.found(name, verdict, "the attestation does not hold: "+err.Error())
		return nil
	}
	for _, at := range all {
		a.Attested = append(a.Attested, Attested{file, at.Publisher})
	}
	return nil
}

func (a *Archives) found(name string, v Verdict, what string) {
	a.findings = append(a.findings, Finding{Rule: Unverified, Verdict: v, Place: lockfile.Place{File: name}, What: what})
}

func readAttestation(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAttestation+1))
	if err == nil && len(b) > maxAttestation {
		err = sallyport.Errorf(sallyport.Limit, "larger than %d MiB", maxAttestation>>20).At("%s", name)
	}
	return b, err
}

func digestIn(fsys fs.FS, name string) (sallyport.Digest, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return sallyport.DigestOf([sha256.Size]byte(h.Sum(nil))), nil
}

// Publishers lists who attested archives, and how many, for people.
func (r *Report) Publishers() []string {
	counts := map[string]int{}
	for _, a := range r.Attested {
		who := a.Publisher.Repository
		if who == "" {
			who = a.Publisher.Subject
		}
		counts[who]++
	}
	var out []string
	for who, n := range counts {
		out = append(out, fmt.Sprintf("%s (%d)", who, n))
	}
	slices.Sort(out)
	return out
}
