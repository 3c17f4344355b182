package ledger

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/state"
)

// The shape of tiles that c2sp.org/tlog-tiles fixes: height 8, 256 wide.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// Export writes the log into a new folder dir, in formats that other tools read
// and verify:
//
//	checkpoint               the signed checkpoint (c2sp.org/tlog-checkpoint)
//	vkey                     the public key that verifies it (c2sp.org/signed-note)
//	entries.jsonl            the leaves, one on a line
//	tile/L/NNN[.p/W]         the tree (c2sp.org/tlog-tiles)
//	tile/entries/NNN[.p/W]   the leaves, each after its length in 16 bits
//
// The folder appears when it is whole, and only if entries, tree and checkpoint
// agree. The Log must have been opened with a Verifier of NewVerifier.
func (l *Log) Export(ctx context.Context, dir string) error {
	v, ok := l.verifier.(*Verifier)
	if !ok {
		return sallyport.Errorf(sallyport.Internal, "the ledger was opened without the text of its public key")
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return sallyport.Errorf(sallyport.Usage, "the folder is there already, or cannot be looked at").At("%s", dir).
			Try("export into a new folder")
	}
	part, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".export-")
	if err != nil {
		return unwritten(err, dir)
	}
	defer os.RemoveAll(part) // nothing is left of it if all went well
	err = l.View(ctx, func(tx *Tx) error {
		if err := tx.loadAny(); err != nil {
			return err
		}
		return tx.export(part, v)
	})
	if err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(part, 0o755), os.Rename(part, dir)); err != nil {
		return unwritten(err, dir)
	}
	return nil
}

func (tx *Tx) export(dir string, v *Verifier) error {
	f, err := os.Create(filepath.Join(dir, "entries.jsonl"))
	if err != nil {
		return unwritten(err, dir)
	}
	defer f.Close()
	lines := bufio.NewWriter(f)
	x := exporter{dir: dir}
	err = tx.st.Entries(0, tx.base.tree.N, func(row state.Entry) error {
		if _, err := x.tree.check(row); err != nil {
			return err
		}
		lines.Write(row.Leaf)
		if err := lines.WriteByte('\n'); err != nil {
			return unwritten(err, dir)
		}
		return x.add(row)
	})
	if err != nil {
		return err
	}
	if err := x.tree.finish(tx.base); err != nil {
		return err
	}
	if err := errors.Join(lines.Flush(), f.Close()); err != nil {
		return unwritten(err, dir)
	}
	return errors.Join(
		x.flush(),
		x.file("checkpoint", tx.base.note),
		x.file("vkey", []byte(v.String()+"\n")))
}

// An exporter fills the tiles as the entries come by: the one of the leaves,
// and one for each level of the tree.
type exporter struct {
	dir    string
	tree   builder
	leaves []byte
	levels [][]byte
}

// add puts a row into the tiles. A tile of level L holds the hashes of the
// complete subtrees of 256^L leaves.
func (x *exporter) add(row state.Entry) error {
	x.leaves = binary.BigEndian.AppendUint16(x.leaves, uint16(len(row.Leaf)))
	x.leaves = append(x.leaves, row.Leaf...)
	if x.tree.n%tileWidth == 0 {
		if err := x.tile("entries", x.tree.n, &x.leaves); err != nil {
			return err
		}
	}
	for level := 0; level*tileHeight*tlog.HashSize < len(row.Hashes); level++ {
		if level == len(x.levels) {
			x.levels = append(x.levels, nil)
		}
		at := level * tileHeight * tlog.HashSize
		x.levels[level] = append(x.levels[level], row.Hashes[at:at+tlog.HashSize]...)
		if count := x.tree.n >> (level * tileHeight); count%tileWidth == 0 {
			if err := x.tile(fmt.Sprint(level), count, &x.levels[level]); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes the tiles that are not full.
func (x *exporter) flush() error {
	if x.tree.n%tileWidth != 0 {
		if err := x.tile("entries", x.tree.n, &x.leaves); err != nil {
			return err
		}
	}
	for level := range x.levels {
		count := x.tree.n >> (level * tileHeight)
		if count%tileWidth == 0 {
			continue
		}
		if err := x.tile(fmt.Sprint(level), count, &x.levels[level]); err != nil {
			return err
		}
	}
	return nil
}

// tile writes the tile that ends with number count of its level and empties it.
func (x *exporter) tile(level string, count int64, data *[]byte) error {
	path := "tile/" + level + "/" + tileName((count-1)/tileWidth)
	if width := count % tileWidth; width != 0 {
		path += fmt.Sprintf(".p/%d", width)
	}
	err := x.file(path, *data)
	*data = (*data)[:0]
	return err
}

// tileName writes the number of a tile in groups of three digits, all but the
// last one marked: 1234067 is x001/x234/067.
func tileName(n int64) string {
	name := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	return name
}

func (x *exporter) file(path string, data []byte) error {
	path = filepath.Join(x.dir, filepath.FromSlash(path))
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		return unwritten(err, x.dir)
	}
	return nil
}

func unwritten(err error, dir string) error {
	return sallyport.Errorf(sallyport.Internal, "the export cannot be written: %w", err).At("%s", dir).
		Try("choose a folder on a disk with room that may be written")
}
