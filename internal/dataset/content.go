package dataset

import (
	"crypto/sha256"
	"hash"

	"github.com/sallyport/sallyport"
)

// The content hash of a table is made of pieces: for each increment what stands
// before its records, and then each of its windows. It is SHA-256 over the
// SHA-256 of every piece, in order. So a window that loses a record is hashed
// again, and nothing else is read.

// A digester hashes a table piece by piece.
type digester struct{ piece, all hash.Hash }

func newDigester() *digester { return &digester{sha256.New(), sha256.New()} }

func (d *digester) Write(b []byte) (int, error) { return d.piece.Write(b) }

// cut ends a piece.
func (d *digester) cut() {
	var sum [sha256.Size]byte
	d.add(d.piece.Sum(sum[:0]))
	d.piece.Reset()
}

// add adds a piece whose hash is known.
func (d *digester) add(sum []byte) { d.all.Write(sum) }

// content returns the hash of all pieces, of which the last was cut.
func (d *digester) content() sallyport.Digest { return contentOf(d.all) }

func contentOf(h hash.Hash) sallyport.Digest {
	return sallyport.DigestOf([sha256.Size]byte(h.Sum(nil)))
}

// addIncrement adds the pieces of an increment.
func (d *digester) addIncrement(m *manifest) {
	d.Write(m.Lead)
	d.cut()
	for _, w := range m.Windows {
		d.add(w.Sum)
	}
}

// tableContent returns the content hash of a version that consists of these
// increments.
func tableContent(all []*increment) sallyport.Digest {
	d := newDigester()
	for _, inc := range all {
		d.addIncrement(inc.manifest)
	}
	return d.content()
}
