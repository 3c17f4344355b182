package state

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/sallyport/sallyport"
)

// busyTimeout is how long a writer waits for the writers before it. Commits
// take milliseconds; a minute means that somebody stopped in the middle.
const busyTimeout = time.Minute

// readers is how many Views run at once; more wait their turn.
const readers = 4

// A DB is an open database. Its methods may be called at the same time by many
// goroutines.
type DB struct {
	path   string
	sql    *sql.DB
	writer chan *session // the one session that writes, nil while unopened
	reader chan *session // the sessions that read, nil while unopened

	closing sync.Once
	closed  chan struct{}
}

// Open opens the database at path, and makes or migrates it as needed. The
// file is readable by its owner only. Kinds of errors: Newer (written by a
// newer version), Corrupt (no database, or not Sallyport's), Busy, NoSpace,
// Denied.
func Open(path string) (*DB, error) { return open(path, busyTimeout) }

func open(path string, timeout time.Duration) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fault(err).At("%s", path)
	}
	// SQLite would make the file readable for everybody; its journals take
	// their mode from it. An existing file is left alone: closing a second
	// descriptor of it would drop this process's locks (fcntl(2)).
	if f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		f.Close()
	} else if !errors.Is(err, os.ErrExist) {
		return nil, fault(err).At("%s", path)
	}
	pool, err := sql.Open("sqlite", source(path, timeout))
	if err != nil {
		return nil, fault(err).At("%s", path)
	}
	pool.SetMaxOpenConns(1 + readers)
	pool.SetMaxIdleConns(0) // sessions keep their connections; nothing else needs one
	db := &DB{
		path:   path,
		sql:    pool,
		writer: make(chan *session, 1),
		reader: make(chan *session, readers),
		closed: make(chan struct{}),
	}
	db.writer <- nil
	for range readers {
		db.reader <- nil
	}
	if err := db.migrate(context.Background(), timeout); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// source names the file and the settings of every connection to it.
func source(path string, timeout time.Duration) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/… as /C:/…
	}
	q := url.Values{
		"_busy_timeout": {itoa(timeout.Milliseconds())},
		"_synchronous":  {"FULL"},
		// What is deleted is overwritten; Purge clears the journal as well.
		"_pragma": {"secure_delete(ON)", "trusted_schema(OFF)", "cell_size_check(ON)",
			"cache_size(-16384)"}, // KiB for each connection: the index of 100,000 objects
		"_defensive": {"1"},
		"_dqs":       {"0"},
		"_error_rc":  {"1"},
	}
	u := url.URL{Scheme: "file", Path: slashed, RawQuery: q.Encode()}
	return u.String()
}

// Close waits for running transactions and closes the database. Closing again
// does nothing.
func (db *DB) Close() (err error) {
	db.closing.Do(func() {
		close(db.closed)
		for _, pool := range []chan *session{db.writer, db.reader} {
			for range cap(pool) {
				if s := <-pool; s != nil {
					s.close()
				}
			}
		}
		if failed := db.sql.Close(); failed != nil {
			err = fault(failed).At("%s", db.path)
		}
	})
	return err
}

// Check reads the whole file and returns an error of kind Corrupt if its
// structure is damaged.
func (db *DB) Check(ctx context.Context) error {
	return db.View(ctx, func(tx *Tx) error {
		var verdict string
		if err := tx.row(`PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
			return fault(err)
		}
		if verdict != "ok" {
			return damaged("the structure of the database is damaged")
		}
		return nil
	})
}

// Purge empties the write-ahead log into the database, so that no file of the
// site still holds what has been deleted. It returns an error of kind Busy if
// another process reads or writes all the while.
func (db *DB) Purge(ctx context.Context) error {
	s, err := acquire(ctx, db, db.writer, false)
	if err != nil {
		return err
	}
	defer func() { db.writer <- s }()
	var busy, pages, moved int
	if err := s.conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		return fault(err).At("%s", db.path)
	}
	if busy != 0 {
		return sallyport.Errorf(sallyport.Busy, "another command is using the site").At("%s", db.path).
			Try("wait until it is done and try again")
	}
	return nil
}
