package deps

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/evidence"
)

// A bundle is a zip file with two files, neither of them compressed again:
//
//	advisories.zip       the sources' own files, each source below its number
//	bundle.intoto.json   a DSSE envelope, whose statement has the digest of it
//
// What it says is in evidence.Advisories. The inner file is one that other tools
// read as well.
const (
	advisoriesName = evidence.AdvisoriesFile
	statementName  = "bundle.intoto.json"
)

// maxStatement bounds a bundle's envelope, in bytes.
const maxStatement = 1 << 20

// A Made bundle is what Make wrote.
type Made struct {
	evidence.Advisories
	Digest sallyport.Digest  `json:"digest"` // of the advisories
	Bytes  int64             `json:"bytes"`  // of the bundle
	Unread []advisory.Unread `json:"unread,omitempty"`
}

// MakeOptions say how a bundle is made.
type MakeOptions struct {
	AsOf time.Time // the day on which the sources were fetched and complete; zero: what they say themselves
	Note func(text string)
	// Fetched holds what URLs gave, if the caller has asked them already.
	Fetched map[string]*os.File
}

// Make collects advisories from places and writes them to out as a bundle that
// signer signs. A source of which nothing can be read is an error. Single records
// that cannot be read go with the others, and are told: whoever imports them has
// them affect every version of their package.
func Make(ctx context.Context, out *os.File, places []string, signer evidence.Signer, by string, opt MakeOptions) (*Made, error) {
	inner, err := temp()
	if err != nil {
		return nil, err
	}
	defer inner.close()
	digest, sources, err := collectAll(ctx, inner.File, places, opt)
	if err != nil {
		return nil, err
	}
	stats, err := compile(ctx, inner.File, io.Discard)
	if err != nil {
		return nil, err
	}
	made := now()
	a := evidence.Advisories{Serial: serial(made), Made: made, AsOf: asOf(opt.AsOf, sources, stats, made), By: by,
		Records: stats.Records, Newest: stats.AsOf, Sources: describe(sources)}
	if a.AsOf.After(made) {
		return nil, sallyport.Errorf(sallyport.Usage, "the sources cannot be of a day to come").Try("give --as-of a day that has passed")
	}
	if a.Records == 0 {
		return nil, sallyport.Errorf(sallyport.Invalid, "the sources hold no advisory about a Python package").Try("see that they are OSV records of the ecosystem PyPI")
	}
	envelope, err := sealBundle(a, digest, signer)
	if err != nil {
		return nil, err
	}
	n, err := writeBundle(out, inner.File, envelope)
	return &Made{Advisories: a, Digest: digest, Bytes: n, Unread: stats.Unread}, err
}

// collectAll copies every place into one archive and returns its digest.
func collectAll(ctx context.Context, inner *os.File, places []string, opt MakeOptions) (sallyport.Digest, []Source, error) {
	z := zip.NewWriter(inner)
	c := &collector{ctx: ctx, out: z, fetched: opt.Fetched}
	var sources []Source
	for i, place := range places {
		if opt.Note != nil {
			opt.Note("collecting " + place)
		}
		src, err := c.collect(fmt.Sprintf("%02d", i+1), place)
		if err != nil {
			return "", nil, err
		}
		sources = append(sources, src)
	}
	if err := z.Close(); err != nil {
		return "", nil, err
	}
	digest, err := digestOf(inner)
	return digest, sources, err
}

// asOf is the day up to which the advisories are complete: as the maker vouches;
// otherwise that of the oldest source, of which a download says it by itself, and
// anything else by its newest record.
func asOf(vouched time.Time, sources []Source, stats advisory.Stats, made time.Time) time.Time {
	if !vouched.IsZero() {
		return vouched
	}
	oldest := stats.AsOf
	if fetched := func(s Source) bool { return !s.AsOf.IsZero() }; !slices.ContainsFunc(sources, func(s Source) bool { return !fetched(s) }) {
		oldest = slices.MinFunc(sources, func(a, b Source) int { return a.AsOf.Compare(b.AsOf) }).AsOf
	}
	if oldest.After(made) {
		oldest = made // a record of a day to come proves nothing about that day
	}
	return oldest.UTC().Truncate(time.Second)
}

// serial numbers bundles by the second in which they were made: a later one has
// a greater number, whoever made it, and people can read it.
func serial(made time.Time) int64 {
	y, m, d := made.Date()
	hh, mm, ss := made.Clock()
	return ((int64(y)*100+int64(m))*100+int64(d))*1_000_000 + int64(hh)*10_000 + int64(mm)*100 + int64(ss)
}

func describe(sources []Source) []evidence.AdvisorySource {
	var out []evidence.AdvisorySource
	for _, s := range sources {
		out = append(out, evidence.AdvisorySource{Place: s.Place, Files: s.Files, AsOf: s.AsOf})
	}
	return out
}

func sealBundle(a evidence.Advisories, digest sallyport.Digest, signer evidence.Signer) ([]byte, error) {
	statement, err := evidence.AttestAdvisories(a, digest)
	if err != nil {
		return nil, err
	}
	envelope, err := evidence.Seal(statement, signer)
	if err != nil {
		return nil, err
	}
	return envelope.Marshal()
}

func writeBundle(out, inner *os.File, envelope []byte) (int64, error) {
	z := zip.NewWriter(out)
	w, err := z.CreateHeader(&zip.FileHeader{Name: statementName, Method: zip.Store})
	if err == nil {
		_, err = w.Write(envelope)
	}
	if err != nil {
		return 0, err
	}
	if w, err = z.CreateHeader(&zip.FileHeader{Name: advisoriesName, Method: zip.Store}); err != nil {
		return 0, err
	}
	if _, err := inner.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	if _, err := io.Copy(w, inner); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	return out.Seek(0, io.SeekCurrent)
}

// A Bundle is one that was opened and verified: its advisories are those that
// somebody signed whom the opener trusts to.
type Bundle struct {
	evidence.Advisories
	Digest    sallyport.Digest
	Statement []byte // the envelope
	inner     tempFile
}

// Close removes what Open unpacked.
func (b *Bundle) Close() { b.inner.close() }

// IsBundle reports whether a file begins like one, rather than like a source.
func IsBundle(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	z, err := zip.NewReader(f, info.Size())
	return err == nil && slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == statementName })
}

// OpenBundle verifies a bundle; place names it in errors. Who signed it, trust
// has to know as somebody who may bring advisories in.
func OpenBundle(place string, f *os.File, trust evidence.Trust) (_ *Bundle, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	bad := func(why string) error {
		return sallyport.Errorf(sallyport.Invalid, "not a bundle of advisories: %s", why).At("%s", place).Try("get it again from who made it")
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil || len(z.File) != 2 || z.File[0].Name != statementName || z.File[1].Name != advisoriesName {
		return nil, bad("it does not consist of a statement and advisories")
	}
	b := &Bundle{}
	if b.Statement, err = readMember(z.File[0], maxStatement); err != nil {
		return nil, bad("its statement cannot be read")
	}
	var want sallyport.Digest
	if b.Advisories, want, err = evidence.OpenAdvisories(place, b.Statement, trust); err != nil {
		return nil, err
	}
	if b.inner, err = temp(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	if err := unpack(z.File[1], b.inner.File); err != nil {
		return nil, bad("its advisories cannot be read")
	}
	if b.Digest, err = digestOf(b.inner.File); err != nil {
		return nil, err
	}
	if b.Digest != want {
		return nil, sallyport.Errorf(sallyport.Refused, "its advisories are not those that were signed").At("%s", place).Try("get it again from who made it")
	}
	return b, nil
}

func readMember(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = sallyport.Errorf(sallyport.Limit, "too large")
	}
	return b, err
}

// unpack copies a stored member. One that is compressed is not as Make writes
// it, and could be a bomb.
func unpack(f *zip.File, to *os.File) error {
	if f.Method != zip.Store {
		return sallyport.Errorf(sallyport.Invalid, "compressed twice")
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(to, r)
	return err
}

// compile makes a database of the advisories in an archive.
func compile(ctx context.Context, inner *os.File, out io.Writer) (advisory.Stats, error) {
	info, err := inner.Stat()
	if err != nil {
		return advisory.Stats{}, err
	}
	z, err := zip.NewReader(inner, info.Size())
	if err != nil {
		return advisory.Stats{}, sallyport.Errorf(sallyport.Invalid, "the advisories are not a zip file that can be read")
	}
	return advisory.Compile(ctx, z, out)
}
