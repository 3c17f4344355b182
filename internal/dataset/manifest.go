package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/bits"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
)

// A manifest is the sealed half of a version: JSON, kept as a stream of
// segments of the version's own. Segments are named by index; the public half
// gives the index its segment, so that a rewritten segment needs no new
// manifest.
type manifest struct {
	Format    int              `json:"format"` // 2
	Dataset   string           `json:"dataset"`
	Number    int              `json:"number"`
	Increment []byte           `json:"increment"`        // names what is new in this version
	Key       []byte           `json:"key"`              // of tags: the site's, and so the same in all versions
	Salt      []byte           `json:"salt"`             // of the version's root
	Content   sallyport.Digest `json:"content"`          // of the whole table (content.go), or SHA-256 of the tree's listing
	Lead      []byte           `json:"lead,omitempty"`   // what stands before the first new record: header, mark, blank lines
	Header    []string         `json:"header,omitempty"` // of a table that has a header
	Windows   []windowEntry    `json:"windows"`
	Index     [][]fence        `json:"index"`
	Dropped   []dropped        `json:"dropped,omitempty"` // trees: what earlier versions hold and this one does not
	Profile   profile          `json:"profile"`
}

// A windowEntry says where the records of a window are.
type windowEntry struct {
	Records int    `json:"records"`           // trees: entries of the listing
	Buckets []int  `json:"buckets"`           // segment indexes, -1 for an empty bucket
	Listing int    `json:"listing,omitempty"` // trees: index, plus one
	Parts   []int  `json:"parts,omitempty"`   // trees: indexes of the parts of large files, in the listing's order; -1 for an erased one
	Gone    int    `json:"gone,omitempty"`    // tables: how many of Records were erased
	Bytes   int64  `json:"bytes,omitempty"`   // tables: of all records that are left
	Sum     []byte `json:"sum,omitempty"`     // tables: SHA-256 of them
}

// A dropped entry of a tree: a file or folder that a version before this one
// added, and that is gone.
type dropped struct {
	Version int    `json:"version"`
	Window  int    `json:"window"`
	Entry   int    `json:"entry"`
	Tag     uint64 `json:"tag"`
	Records int    `json:"records"` // 1 for a file, 0 for a folder
}

const (
	manifestFormat = 2 // 1 had no hashes of windows; no released version wrote it
	idSize         = 16
	saltSize       = 16
)

// head returns the head of a segment of m's increment.
func (m *manifest) head(kind byte, a, b int) head { return head{kind, [idSize]byte(m.Increment), a, b} }

// tagger returns what names subjects in all versions of m's dataset.
func (m *manifest) tagger() *tagger { return newTagger(seal.Key(m.Key), "subject") }

func (m *manifest) encode() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // plain data always has a JSON form
	}
	return b
}

// decodeManifest reads a manifest whose version has so many segments.
func decodeManifest(b []byte, segments int64) (*manifest, error) {
	var form struct{ Format int }
	if json.Unmarshal(b, &form) == nil && form.Format > manifestFormat {
		return nil, sallyport.Errorf(sallyport.Newer, "a manifest has format version %d", form.Format).Try("use a newer Sallyport")
	}
	m := new(manifest)
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(m) != nil || d.Decode(&struct{}{}) != io.EOF || !m.sound(segments) {
		return nil, damaged("a manifest contradicts itself")
	}
	return m, nil
}

// sound reports whether everything in m is in its bounds.
func (m *manifest) sound(segments int64) bool {
	there := func(i int) bool { return i >= 0 && int64(i) < segments }
	for _, w := range m.Windows {
		n := len(w.Buckets)
		if w.Records < 0 || w.Records > windowRecords || n == 0 || n > maxBuckets || bits.OnesCount(uint(n)) != 1 {
			return false
		}
		for _, i := range w.Buckets {
			if i != -1 && !there(i) {
				return false
			}
		}
		for _, i := range w.Parts {
			if i != -1 && !there(i) {
				return false
			}
		}
		if w.Gone < 0 || w.Gone > w.Records || w.Bytes < 0 || len(w.Sum) != 0 && len(w.Sum) != sha256.Size {
			return false
		}
		if w.Listing != 0 && !there(w.Listing-1) {
			return false
		}
	}
	for _, run := range m.Index {
		if len(run) == 0 {
			return false
		}
		for i, f := range run {
			if !there(f.Segment) || i > 0 && f.First <= run[i-1].First {
				return false
			}
		}
	}
	for _, d := range m.Dropped {
		if d.Version < 1 || d.Version >= m.Number || d.Window < 0 || d.Entry < 0 || d.Records < 0 || d.Records > 1 {
			return false
		}
	}
	_, err := sallyport.ParseDigest(string(m.Content))
	return m.Format == manifestFormat && err == nil && m.Profile.sound() &&
		len(m.Increment) == idSize && len(m.Key) == seal.KeySize && len(m.Salt) == saltSize
}

// salted returns the commitment to a content under the version's salt.
func (m *manifest) salted(content sallyport.Digest) sallyport.Digest {
	sum, err := hex.DecodeString(content.Hex())
	if err != nil {
		panic(err) // sound has looked at it, or it was made here
	}
	return sallyport.Sum(append(bytes.Clone(m.Salt), sum...))
}

// minus returns the tags of dropped records, sorted.
func minus(all []dropped) []uint64 {
	tags := make([]uint64, 0, len(all))
	for _, d := range all {
		if d.Records > 0 {
			tags = append(tags, d.Tag)
		}
	}
	slices.Sort(tags)
	return tags
}
