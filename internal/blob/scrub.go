package blob

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"

	"github.com/sallyport/sallyport/internal/state"
)

// Scrub overwrites with zeros what lies in the packs of living segments and
// belongs to none of them. It is safe to repeat and to be killed: nothing that
// can still be opened is written to. The caller holds the site's exclusive lock.
func (s *Store) Scrub(living []state.Segment) error {
	byPack := map[string][]state.Segment{}
	for _, seg := range living {
		byPack[seg.Pack] = append(byPack[seg.Pack], seg)
	}
	for name, segs := range byPack {
		if err := scrubPack(filepath.Join(s.dir, name+packSuffix), segs); err != nil {
			return failed(err)
		}
	}
	return nil
}

func scrubPack(path string, segs []state.Segment) error {
	slices.SortFunc(segs, func(a, b state.Segment) int { return cmp.Compare(a.Off, b.Off) })
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	at, wrote := int64(packHeader), false
	for _, seg := range append(segs, state.Segment{Off: info.Size()}) {
		if seg.Off > at {
			n, err := zero(f, at, seg.Off)
			if err != nil {
				return err
			}
			wrote = wrote || n
		}
		at = max(at, seg.Off+seg.Len)
	}
	if wrote {
		return f.Sync()
	}
	return nil
}

// zero makes the bytes from … to-1 zeros, and reports whether they were not.
func zero(f *os.File, from, to int64) (wrote bool, err error) {
	buf, zeros := make([]byte, 256<<10), make([]byte, 256<<10)
	for from < to {
		b := buf[:min(int64(len(buf)), to-from)]
		if _, err := f.ReadAt(b, from); err != nil {
			return wrote, err
		}
		if slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
			if _, err := f.WriteAt(zeros[:len(b)], from); err != nil {
				return wrote, err
			}
			wrote = true
		}
		from += int64(len(b))
	}
	return wrote, nil
}
