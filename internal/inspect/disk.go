package inspect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/sallyport/sallyport"
)

// A disk is a file on disk whose bytes are read once from beginning to end, for
// its digest and for all who watch a part of it.
type disk struct {
	r       io.ReaderAt
	size    int64
	watches []watch
}

// A watch is a part of the file that somebody wants to see.
type watch struct {
	from, to int64
	fn       func([]byte)
	done     func()
}

func (d *disk) watch(off, n int64, fn func([]byte), done func()) {
	d.watches = append(d.watches, watch{off, off + n, fn, done})
}

// sweep reads the file, feeds the watches and returns its digest.
func (d *disk) sweep(ctx context.Context, progress func(n int)) (sallyport.Digest, error) {
	slices.SortStableFunc(d.watches, func(a, b watch) int { return cmp.Compare(a.from, b.from) })
	hash := sha256.New()
	var at int64
	var open []watch // begun and not ended
	next := 0
	err := pour(io.NewSectionReader(d.r, 0, d.size), func(b []byte) error {
		var hashing sync.WaitGroup // beside those who watch
		hashing.Go(func() { hash.Write(b) })
		defer hashing.Wait()
		end := at + int64(len(b))
		for ; next < len(d.watches) && d.watches[next].from < end; next++ {
			open = append(open, d.watches[next])
		}
		open = slices.DeleteFunc(open, func(w watch) bool {
			from, to := max(w.from, at), min(w.to, end)
			if from < to {
				w.fn(b[from-at : to-at])
			}
			if w.to <= end {
				w.done()
			}
			return w.to <= end
		})
		at = end
		if progress != nil {
			progress(len(b))
		}
		return ctx.Err()
	})
	if err != nil {
		return "", err
	}
	if at != d.size {
		return "", fmt.Errorf("the file became shorter while it was read")
	}
	for ; next < len(d.watches); next++ { // empty parts at the very end
		d.watches[next].done()
	}
	return sallyport.DigestOf([sha256.Size]byte(hash.Sum(nil))), nil
}
