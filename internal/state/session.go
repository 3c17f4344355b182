package state

import (
	"context"
	"database/sql"

	"github.com/sallyport/sallyport"
)

// A session is one connection with the statements that were prepared on it.
// One transaction at a time owns it.
type session struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// acquire takes a session out of the pool and opens it if need be. The caller
// puts it back.
func acquire(ctx context.Context, db *DB, pool chan *session, readonly bool) (*session, error) {
	var s *session
	select {
	case s = <-pool:
	case <-db.closed:
		return nil, sallyport.Errorf(sallyport.Internal, "the database was closed").At("%s", db.path)
	case <-ctx.Done():
		return nil, fault(ctx.Err())
	}
	if s != nil {
		return s, nil
	}
	s, err := connect(ctx, db, readonly)
	if err != nil {
		pool <- nil
		return nil, err
	}
	return s, nil
}

func connect(ctx context.Context, db *DB, readonly bool) (*session, error) {
	conn, err := db.sql.Conn(ctx)
	if err != nil {
		return nil, fault(err).At("%s", db.path)
	}
	if readonly {
		if _, err := conn.ExecContext(ctx, `PRAGMA query_only = ON`); err != nil {
			conn.Close()
			return nil, fault(err).At("%s", db.path)
		}
	}
	return &session{conn, make(map[string]*sql.Stmt)}, nil
}

// statement returns query prepared, which happens once in a session.
func (s *session) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.prepared[query]; ok {
		return st, nil
	}
	st, err := s.conn.PrepareContext(ctx, query)
	if err == nil {
		s.prepared[query] = st
	}
	return st, err
}

// do runs a statement that takes and yields nothing.
func (s *session) do(ctx context.Context, query string) error {
	st, err := s.statement(ctx, query)
	if err != nil {
		return err
	}
	_, err = st.ExecContext(ctx)
	return err
}

func (s *session) close() {
	for _, st := range s.prepared {
		st.Close()
	}
	s.conn.Close()
}
