package state

import (
	"context"
	"embed"
	"fmt"
	"os"
	"time"

	"github.com/sallyport/sallyport"
)

// applicationID marks the file as Sallyport's in its header ("SLPT").
const applicationID = 0x534c5054

// version is the newest schema. A file's own version is its user_version; the
// file schema/NNN.sql takes a database from version NNN-1 to NNN.
const version = 1

// minPage is the smallest page of SQLite in bytes (sqlite.org/fileformat2.html
// §1.2): files of databases are multiples of it.
const minPage = 512

//go:embed schema/*.sql
var schema embed.FS

// migrate brings the file to the newest version. It changes nothing before it
// knows that the file is Sallyport's, or empty.
func (db *DB) migrate(ctx context.Context, timeout time.Duration) error {
	have, err := db.inspect(ctx)
	if err != nil {
		return err
	}
	if err := db.journal(ctx, timeout); err != nil || have == version {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		// Another process may have been faster.
		have, err := tx.version()
		if err != nil {
			return at(err, db.path)
		}
		for v := have + 1; v <= version; v++ {
			script, err := schema.ReadFile(fmt.Sprintf("schema/%03d.sql", v))
			if err != nil {
				return sallyport.Errorf(sallyport.Internal, "schema %d is not part of this program: %w", v, err)
			}
			if _, err := tx.s.conn.ExecContext(ctx, string(script)); err != nil {
				return fault(err).At("%s", db.path)
			}
		}
		stamp := fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = %d`, applicationID, version)
		if _, err := tx.s.conn.ExecContext(ctx, stamp); err != nil {
			return fault(err).At("%s", db.path)
		}
		return nil
	})
}

func (db *DB) inspect(ctx context.Context) (have int, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		have, err = tx.version()
		return err
	})
	if err != nil {
		return 0, at(err, db.path)
	}
	// SQLite takes the first bytes of a file for an empty database.
	if info, err := os.Stat(db.path); have == 0 && (err != nil || info.Size()%minPage != 0) {
		return 0, notOurs().At("%s", db.path)
	}
	return have, nil
}

func notOurs() *sallyport.Error {
	return sallyport.Errorf(sallyport.Corrupt, "this is not a database of Sallyport").
		Try("check the path of the site")
}

// version returns the schema of the file, or 0 for an empty one.
func (tx *Tx) version() (int, error) {
	var id, have, tables int
	err := tx.row(`SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&id, &have, &tables)
	switch {
	case err != nil:
		return 0, fault(err)
	case id == 0 && have == 0 && tables == 0:
		return 0, nil
	case id != applicationID || have < 1:
		return 0, notOurs()
	case have > version:
		return 0, sallyport.Errorf(sallyport.Newer, "the site was written by a newer version of Sallyport (schema %d, this one knows %d)", have, version).
			Try("install the newest Sallyport")
	}
	return have, nil
}

// journal switches the file to write-ahead logging, which it then keeps. The
// switch needs the file for itself and does not wait for it, so that two
// processes that make a site at once meet here; the later one tries again.
func (db *DB) journal(ctx context.Context, timeout time.Duration) error {
	s, err := acquire(ctx, db, db.writer, false)
	if err != nil {
		return err
	}
	defer func() { db.writer <- s }()
	deadline := time.Now().Add(timeout)
	for {
		var mode string
		err := s.conn.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode)
		switch {
		case err == nil && mode == "wal":
			return nil
		case err == nil:
			return sallyport.Errorf(sallyport.Unknown, "the file system cannot hold a write-ahead log").At("%s", db.path).
				Try("put the site on a local disk")
		case !sallyport.Is(fault(err), sallyport.Busy) || time.Now().After(deadline):
			return fault(err).At("%s", db.path)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// at gives err a place if it has none.
func at(err error, place string) error {
	if err == nil {
		return nil
	}
	if f := fault(err); f.Place == "" {
		return f.At("%s", place)
	}
	return err
}
