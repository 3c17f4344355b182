package state

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/sallyport/sallyport"
)

// A Tx is a transaction. It belongs to one goroutine and ends with the function
// that it was given to.
type Tx struct {
	ctx context.Context
	s   *session
}

// Update runs fn in a transaction that sees the newest state and that nobody
// else writes beside. If fn returns nil, everything it did is on the disk when
// Update returns; if fn returns an error or panics, or the process dies, nothing
// is. Update inside fn would wait for itself.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, db.writer, false, fn)
}

// View runs fn on one consistent snapshot. Writing in fn is an error.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, db.reader, true, fn)
}

func (db *DB) run(ctx context.Context, pool chan *session, readonly bool, fn func(*Tx) error) error {
	s, err := acquire(ctx, db, pool, readonly)
	if err != nil {
		return err
	}
	open := false
	defer func() { // also when fn panics
		// Ending what SQLite has ended by itself (after a full disk, for one)
		// is an error without meaning.
		if open && s.do(context.WithoutCancel(ctx), `ROLLBACK`) != nil {
			s.close() // a session of unknown state is used no more
			s = nil
		}
		pool <- s
	}()
	begin := `BEGIN IMMEDIATE`
	if readonly {
		begin = `BEGIN`
	}
	if err := s.do(ctx, begin); err != nil {
		// A cancelled BEGIN may have taken the lock all the same.
		open = ctx.Err() != nil
		return fault(err).At("%s", db.path)
	}
	open = true
	if err := fn(&Tx{ctx, s}); err != nil {
		return err
	}
	// Whether it is committed must not hang on when the caller stops waiting.
	if err := s.do(context.WithoutCancel(ctx), `COMMIT`); err != nil {
		return fault(err).At("%s", db.path)
	}
	open = false
	return nil
}

// exec runs a prepared statement.
func (tx *Tx) exec(query string, args ...any) (sql.Result, error) {
	st, err := tx.s.statement(tx.ctx, query)
	if err != nil {
		return nil, fault(err)
	}
	res, err := st.ExecContext(tx.ctx, args...)
	if err != nil {
		return nil, fault(err)
	}
	return res, nil
}

// scan runs a prepared statement that yields at most one row and reports
// whether it did.
func (tx *Tx) scan(query string, args []any, into ...any) (bool, error) {
	st, err := tx.s.statement(tx.ctx, query)
	if err != nil {
		return false, fault(err)
	}
	switch err := st.QueryRowContext(tx.ctx, args...).Scan(into...); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fault(err)
	}
	return true, nil
}

// row runs a statement that is not worth keeping.
func (tx *Tx) row(query string, args ...any) *sql.Row {
	return tx.s.conn.QueryRowContext(tx.ctx, query, args...)
}

// each calls scan for every row. The statement is prepared afresh, because the
// rows of a kept one would be cut short by using it again inside the loop.
func (tx *Tx) each(query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := tx.s.conn.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return fault(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fault(err)
	}
	return nil
}

// errStop ends a loop over rows early; it never leaves the package.
var errStop = errors.New("stop")

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// damaged is an error of kind Corrupt with the mend that all of them share.
func damaged(format string, args ...any) *sallyport.Error {
	return sallyport.Errorf(sallyport.Corrupt, format, args...).
		Try("restore the site's folder from a backup, then run: sallyport log verify")
}
