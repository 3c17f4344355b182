package advisory

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"

	"github.com/sallyport/sallyport"
)

// The database file, all numbers in little-endian order:
//
//	magic    16 bytes
//	blocks   one for each package, by name, without gaps
//	index    for each block 32 bytes (row), then the names of all packages in a row
//	stats    JSON
//	footer   where index and stats lie and their SHA-256; the SHA-256 of magic and all that
//
// The last digest is the database's name. It covers the index, which covers
// every block, so that whatever is read proves itself on the way and Open needs
// to read the index only.
const (
	magic      = "sallyport-adv 1\n"
	product    = "sallyport-adv "
	rowSize    = 32
	sumSize    = 16 // bytes of a block's SHA-256 in its row
	footerSize = 5*8 + 3*sha256.Size
	maxIndex   = 256 << 20
	maxStats   = 4 << 20
)

// A row is where a package's name ends within the names, where its block lies,
// and the beginning of the block's SHA-256.
type row struct {
	name uint32
	size uint32
	off  uint64
	sum  [sumSize]byte
}

func (r row) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, r.name)
	b = binary.LittleEndian.AppendUint32(b, r.size)
	b = binary.LittleEndian.AppendUint64(b, r.off)
	return append(b, r.sum[:]...)
}

func readRow(b []byte) row {
	return row{
		name: binary.LittleEndian.Uint32(b),
		size: binary.LittleEndian.Uint32(b[4:]),
		off:  binary.LittleEndian.Uint64(b[8:]),
		sum:  [sumSize]byte(b[16:rowSize]),
	}
}

func sumOf(b []byte) [sumSize]byte {
	sum := sha256.Sum256(b)
	return [sumSize]byte(sum[:sumSize])
}

// A footer is the end of the file.
type footer struct {
	indexOff, indexSize uint64
	packages            uint64
	statsOff, statsSize uint64
	index, stats        [sha256.Size]byte
}

// encode returns the footer and the database's digest, which ends it.
func (f footer) encode() ([]byte, sallyport.Digest) {
	var b []byte
	for _, n := range []uint64{f.indexOff, f.indexSize, f.packages, f.statsOff, f.statsSize} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	b = append(append(b, f.index[:]...), f.stats[:]...)
	sum := sha256.Sum256(append([]byte(magic), b...))
	return append(b, sum[:]...), sallyport.DigestOf(sum)
}

// readFooter reads the footer of a file of size bytes and holds it against its
// own digest and against the file's size: every byte belongs to one part.
func readFooter(b []byte, size uint64) (footer, sallyport.Digest, error) {
	var f footer
	for i, n := range []*uint64{&f.indexOff, &f.indexSize, &f.packages, &f.statsOff, &f.statsSize} {
		*n = binary.LittleEndian.Uint64(b[8*i:])
	}
	f.index = [sha256.Size]byte(b[40:])
	f.stats = [sha256.Size]byte(b[40+sha256.Size:])
	again, digest := f.encode()
	switch {
	case string(again) != string(b):
		return f, "", corrupt("its end is not what was written")
	case f.indexSize > maxIndex || f.statsSize > maxStats || f.packages > maxIndex/rowSize || f.packages*rowSize > f.indexSize:
		return f, "", corrupt("its parts have sizes that cannot be")
	case f.indexOff < uint64(len(magic)) || f.indexOff > size || f.statsOff != f.indexOff+f.indexSize || f.statsOff+f.statsSize != size-footerSize:
		return f, "", corrupt("its parts do not fill it")
	}
	return f, digest, nil
}

// A writer writes a database. Blocks come in the order of their names.
type writer struct {
	to    io.Writer
	off   uint64
	rows  []byte
	names []byte
	err   error
}

func newWriter(to io.Writer) *writer {
	w := &writer{to: to}
	w.write([]byte(magic))
	return w
}

func (w *writer) write(b []byte) {
	if w.err == nil {
		_, w.err = w.to.Write(b)
	}
	w.off += uint64(len(b))
}

func (w *writer) block(name string, b []byte) {
	w.names = append(w.names, name...)
	w.rows = row{uint32(len(w.names)), uint32(len(b)), w.off, sumOf(b)}.append(w.rows)
	w.write(b)
}

// finish writes all that follows the blocks.
func (w *writer) finish(s Stats) (sallyport.Digest, error) {
	stats, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	index := append(w.rows, w.names...)
	if len(index) > maxIndex {
		return "", sallyport.Errorf(sallyport.Limit, "the sources name more packages than a database holds")
	}
	f := footer{
		indexOff: w.off, indexSize: uint64(len(index)), packages: uint64(len(w.rows) / rowSize),
		statsOff: w.off + uint64(len(index)), statsSize: uint64(len(stats)),
		index: sha256.Sum256(index), stats: sha256.Sum256(stats),
	}
	w.write(index)
	w.write(stats)
	end, digest := f.encode()
	w.write(end)
	return digest, w.err
}
