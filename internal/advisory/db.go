package advisory

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"sort"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// A DB is an open database. It is safe for concurrent use.
type DB struct {
	src    io.ReaderAt
	file   *os.File // nil: whoever gave src closes it
	foot   footer
	digest sallyport.Digest
	rows   []byte
	names  []byte
}

// Open opens a database file.
func Open(path string) (*DB, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, sallyport.Errorf(sallyport.NotFound, "there is no advisory database: %w", err).Try("import a bundle")
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	db, err := New(file, info.Size())
	if err != nil {
		file.Close()
		return nil, err
	}
	db.file = file
	return db, nil
}

// New opens the database that the first size bytes of src are. It reads the
// index and proves it; a package's block proves itself when it is read. Whether
// the database is the one that is meant is for the caller to say, by its Digest.
func New(src io.ReaderAt, size int64) (*DB, error) {
	if size < int64(len(magic))+footerSize {
		return nil, corrupt("it is too short")
	}
	db := &DB{src: src}
	if err := db.open(uint64(size)); err != nil {
		return nil, err
	}
	return db, nil
}

func (db *DB) open(size uint64) error {
	head, err := db.read(0, uint64(len(magic)))
	if err != nil {
		return err
	}
	if string(head) != magic {
		if bytes.HasPrefix(head, []byte(product)) {
			return sallyport.Errorf(sallyport.Newer, "the advisory database is of another version").Try("update Sallyport or import the bundle again")
		}
		return corrupt("it does not begin as one")
	}
	end, err := db.read(size-footerSize, footerSize)
	if err != nil {
		return err
	}
	if db.foot, db.digest, err = readFooter(end, size); err != nil {
		return err
	}
	index, err := db.read(db.foot.indexOff, db.foot.indexSize)
	if err != nil {
		return err
	}
	if sha256.Sum256(index) != db.foot.index {
		return corrupt("its index is not what was written")
	}
	db.rows, db.names = index[:db.foot.packages*rowSize], index[db.foot.packages*rowSize:]
	return nil
}

// Close closes the file, if Open has opened one.
func (db *DB) Close() error {
	if db.file == nil {
		return nil
	}
	return db.file.Close()
}

// Digest names the database's content: every byte of it hangs on it.
func (db *DB) Digest() sallyport.Digest { return db.digest }

// Stats returns what the database was made of.
func (db *DB) Stats() (Stats, error) {
	var s Stats
	b, err := db.read(db.foot.statsOff, db.foot.statsSize)
	if err != nil {
		return s, err
	}
	if sha256.Sum256(b) != db.foot.stats || json.Unmarshal(b, &s) != nil {
		return Stats{}, corrupt("its statistics are not what was written")
	}
	s.Digest = db.digest
	return s, nil
}

func (db *DB) read(off, n uint64) ([]byte, error) {
	b := make([]byte, n)
	if read, err := db.src.ReadAt(b, int64(off)); read < len(b) {
		if err == io.EOF {
			return nil, corrupt("it is too short")
		}
		return nil, err
	}
	return b, nil
}

// Len is how many packages the database speaks of.
func (db *DB) Len() int { return len(db.rows) / rowSize }

func (db *DB) row(i int) row { return readRow(db.rows[i*rowSize:]) }

// name is the i-th package's, or "" if the index is damaged there.
func (db *DB) name(i int) []byte {
	from, to := uint32(0), db.row(i).name
	if i > 0 {
		from = db.row(i - 1).name
	}
	if from > to || uint64(to) > uint64(len(db.names)) {
		return nil
	}
	return db.names[from:to]
}

// Names are the packages that the database speaks of, ascending.
func (db *DB) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range db.Len() {
			if !yield(string(db.name(i))) {
				return
			}
		}
	}
}

// block reads the block of a package. It is nil if there is none.
func (db *DB) block(name string) (*block, error) {
	name = pep508.Normal(name)
	i, found := sort.Find(db.Len(), func(i int) int { return bytes.Compare([]byte(name), db.name(i)) })
	if !found {
		return nil, nil
	}
	return db.blockAt(i)
}

func (db *DB) blockAt(i int) (*block, error) {
	r := db.row(i)
	if r.off > db.foot.indexOff || uint64(r.size) > db.foot.indexOff-r.off {
		return nil, corrupt("its index points beyond it")
	}
	b, err := db.read(r.off, uint64(r.size))
	if err != nil {
		return nil, err
	}
	if sumOf(b) != r.sum {
		return nil, corrupt("a block is not what was written")
	}
	return decodeBlock(string(db.name(i)), b)
}

// Match returns the advisories that affect a version of a package, by their IDs.
// The name may be in any spelling.
func (db *DB) Match(name string, v pep440.Version) ([]Hit, error) {
	k, err := db.block(name)
	if k == nil || err != nil {
		return nil, err
	}
	return k.match(v)
}

// Advisories returns all that there are about a package, by their IDs.
func (db *DB) Advisories(name string) ([]Advisory, error) {
	k, err := db.block(name)
	if k == nil || err != nil {
		return nil, err
	}
	return k.all()
}

// Facts returns what an index says about a version, and whether any does.
func (db *DB) Facts(name string, v pep440.Version) (Facts, bool, error) {
	k, err := db.block(name)
	if k == nil || err != nil {
		return Facts{}, false, err
	}
	return k.factsOf(v)
}

// Verify reads all of the database.
func (db *DB) Verify() error {
	off, last := uint64(len(magic)), []byte(nil)
	for i := range db.Len() {
		r, name := db.row(i), db.name(i)
		if r.off != off || bytes.Compare(last, name) >= 0 {
			return corrupt("its index is not in order")
		}
		off, last = off+uint64(r.size), name
		k, err := db.blockAt(i)
		if err != nil {
			return err
		}
		if err := k.verify(); err != nil {
			return err
		}
	}
	if off != db.foot.indexOff {
		return corrupt("its blocks do not fill it")
	}
	_, err := db.Stats()
	return err
}
