package ledger

import (
	"context"
	"iter"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/state"
)

// A Report says what Verify has found in a log that is whole.
type Report struct {
	Size       int64     // entries
	Objects    int64     // live objects, each as its newest entry says
	Deleted    int64     // entries that delete an object
	Root       tlog.Hash // of the tree, recomputed from the leaves
	Checkpoint []byte    // the signed note of that tree; nil for an empty log
	First      time.Time // of the first entry
	Last       time.Time // of the last entry
	Backwards  []int64   // the first entries that are older than the one before: a clock was set back
}

// maxBackwards bounds Report.Backwards.
const maxBackwards = 100

// progressEvery is the number of entries between two reports of progress.
const progressEvery = 1000

// Verify checks the whole log and all objects: every leaf is an entry in its
// one form and its place; the tree recomputed from the leaves is the stored one
// and the one of the signed checkpoint, which continues the remembered one;
// every object is the one that its newest entry vouches for, and none is
// missing. An error of kind Corrupt names the first entry or object that is
// not. Progress, which may be nil, is called with entries done and in total.
func (l *Log) Verify(ctx context.Context, progress func(done, total int64)) (*Report, error) {
	remembered, err := l.recall()
	if err != nil {
		return nil, err
	}
	// The structure of the file is checked beside: an index that lost a row
	// would hide an object from Get that the walk below still finds.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	structure := make(chan error, 1)
	go func() { structure <- l.db.Check(ctx) }()

	var report *Report
	err = l.View(ctx, func(tx *Tx) (err error) {
		if err := tx.continues(remembered); err != nil {
			return err
		}
		report, err = tx.verify(progress)
		return err
	})
	if err != nil {
		cancel()
		<-structure
		return nil, err
	}
	if err := <-structure; err != nil {
		return nil, err
	}
	return report, nil
}

// verify walks through a transaction that is loaded.
func (tx *Tx) verify(progress func(done, total int64)) (*Report, error) {
	next, stop := iter.Pull2(tx.st.Objects(""))
	defer stop()
	total := tx.base.tree.N
	w := &walk{tx: tx, next: next, gone: make(map[string]int64)}
	w.report.Size, w.report.Checkpoint = total, tx.base.note
	if err := w.advance(); err != nil {
		return nil, err
	}
	err := tx.st.Entries(0, total, func(row state.Entry) error {
		if progress != nil && row.N%progressEvery == 0 {
			progress(row.N, total)
		}
		return w.entry(row)
	})
	if err != nil {
		return nil, err
	}
	if progress != nil {
		progress(total, total)
	}
	return w.finish()
}

// A walk goes through the entries and, beside them, the objects in the order of
// their newest entries, so that its memory does not grow with either.
type walk struct {
	tx     *Tx
	report Report
	tree   builder // of the entries so far

	next   func() (state.Object, error, bool)
	object state.Object // the object that comes next
	more   bool         // whether there is one

	// The objects that are not there although an entry vouches for them, with
	// that entry: a later entry has to delete each.
	gone map[string]int64
}

func (w *walk) entry(row state.Entry) error {
	e, err := w.tree.check(row)
	if err != nil {
		return err
	}
	w.clock(e)
	if w.more && w.object.Entry == e.N {
		if err := match(w.object, e); err != nil {
			return err
		}
		w.report.Objects++
		return w.advance()
	}
	return w.superseded(e)
}

// clock notes the times. A clock may be set back; the order of the log is that
// of its numbers.
func (w *walk) clock(e Entry) {
	if e.N == 0 {
		w.report.First = e.Time
	} else if e.Time.Before(w.report.Last) && len(w.report.Backwards) < maxBackwards {
		w.report.Backwards = append(w.report.Backwards, e.N)
	}
	w.report.Last = e.Time
}

// superseded checks an entry that is not the newest of a live object: a newer
// one has to replace it, or to delete the object.
func (w *walk) superseded(e Entry) error {
	kind, id, _ := strings.Cut(e.Object, "/")
	newest, err := w.tx.st.EntryOf(kind, id)
	live := err == nil
	if err != nil && !sallyport.Is(err, sallyport.NotFound) {
		return err
	}
	if live && newest < e.N {
		return corrupt("the stored document is an older one than entry %d of the ledger vouches for", e.N).At("%s", e.Object)
	}
	switch {
	case e.Digest == "":
		w.report.Deleted++
		delete(w.gone, e.Object)
	case !live:
		w.gone[e.Object] = e.N
	}
	return nil
}

// advance fetches the next object. Those come in rising order, so one that is
// behind the walk belongs to no entry.
func (w *walk) advance() error {
	o, err, more := w.next()
	if err != nil {
		return err
	}
	w.object, w.more = o, more
	if more && (o.Entry < w.tree.n || o.Entry >= w.tx.base.tree.N) {
		return corrupt("no entry of the ledger vouches for the stored document").At("%s/%s", o.Kind, o.ID)
	}
	return nil
}

func (w *walk) finish() (*Report, error) {
	if err := w.tree.finish(w.tx.base); err != nil {
		return nil, err
	}
	w.report.Root = w.tree.root()
	for name, n := range w.gone {
		return nil, corrupt("the document that entry %d of the ledger vouches for is missing", n).At("%s", name)
	}
	return &w.report, nil
}
