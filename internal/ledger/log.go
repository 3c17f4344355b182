package ledger

import (
	"bytes"
	"context"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/state"
)

// A Log is the ledger of a site. Its methods may be called at the same time by
// many goroutines, and many processes may have the same log open.
type Log struct {
	db       *state.DB
	signer   note.Signer
	verifier note.Verifier
	memory   string // path of the remembered checkpoint; empty for none
	now      func() time.Time

	mu   sync.Mutex
	seen head // the newest checkpoint that this Log has signed or verified
}

// An Option is for Open.
type Option func(*Log)

// Remember keeps a copy of the newest checkpoint in a file outside the
// database. A database that is set back to an earlier state is then an error
// of kind Corrupt, as far as the file was not set back with it.
func Remember(path string) Option { return func(l *Log) { l.memory = path } }

// Open opens the log in db. The signer, which may be nil for a log that is only
// read, and the verifier are one key, and the key's name is the log's origin.
// Open checks the newest checkpoint and that nothing is missing since the
// remembered one; Verify checks everything else.
func Open(db *state.DB, signer note.Signer, verifier note.Verifier, options ...Option) (*Log, error) {
	if signer != nil && (signer.Name() != verifier.Name() || signer.KeyHash() != verifier.KeyHash()) {
		return nil, sallyport.Errorf(sallyport.Invalid, "the two keys of the ledger do not belong together").
			Try("restore both from the same backup")
	}
	l := &Log{db: db, signer: signer, verifier: verifier, now: time.Now}
	for _, o := range options {
		o(l)
	}
	remembered, err := l.recall()
	if err != nil {
		return nil, err
	}
	err = l.View(context.Background(), func(tx *Tx) error { return tx.continues(remembered) })
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Update runs fn in one transaction of the database, on behalf of a principal.
// If fn returns nil and has added entries, their checkpoint is signed and all
// of it is committed together; otherwise nothing happened.
func (l *Log) Update(ctx context.Context, by string, fn func(*Tx) error) error {
	before := l.newest()
	var after head
	err := l.db.Update(ctx, func(st *state.Tx) error {
		tx := l.begin(st, before)
		tx.by = by
		if err := fn(tx); err != nil {
			return err
		}
		var err error
		after, err = tx.seal()
		return err
	})
	if err != nil || after.note == nil {
		return err
	}
	l.advance(after)
	l.remember(after)
	return nil
}

// View runs fn on one consistent snapshot of the log and the state.
func (l *Log) View(ctx context.Context, fn func(*Tx) error) error {
	// Taken before the snapshot is, or another goroutine's newer checkpoint
	// would make the snapshot look set back.
	before := l.newest()
	return l.db.View(ctx, func(st *state.Tx) error { return fn(l.begin(st, before)) })
}

// Size returns the number of entries.
func (l *Log) Size(ctx context.Context) (n int64, err error) {
	err = l.View(ctx, func(tx *Tx) error {
		if err := tx.load(); err != nil {
			return err
		}
		n = tx.base.tree.N
		return nil
	})
	return n, err
}

// Checkpoint returns the newest signed checkpoint; an error of kind NotFound if
// the log has no entries yet.
func (l *Log) Checkpoint(ctx context.Context) (msg []byte, err error) {
	err = l.View(ctx, func(tx *Tx) error {
		if err := tx.loadAny(); err != nil {
			return err
		}
		msg = bytes.Clone(tx.base.note)
		return nil
	})
	return msg, err
}

// Entries calls fn for the entries from ≤ n < to in order, up to the end of the
// log, each proven to be in the tree of the newest checkpoint.
func (l *Log) Entries(ctx context.Context, from, to int64, fn func(Entry) error) error {
	return l.View(ctx, func(tx *Tx) error {
		if err := tx.load(); err != nil {
			return err
		}
		n := max(from, 0)
		to := min(to, tx.base.tree.N)
		err := tx.st.Entries(n, to, func(row state.Entry) error {
			if row.N != n {
				return corrupt("a row of the ledger is missing").At("entry %d", n)
			}
			n++
			e, err := tx.prove(row)
			if err != nil {
				return err
			}
			return fn(e)
		})
		if err == nil && n < to {
			return corrupt("a row of the ledger is missing").At("entry %d", n)
		}
		return err
	})
}

func (l *Log) newest() head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// advance remembers h if it is newer than what was seen.
func (l *Log) advance(h head) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.tree.N > l.seen.tree.N {
		l.seen = h
	}
}
