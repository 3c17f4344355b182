package state

import (
	"context"
	"errors"
	"io/fs"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/sallyport/sallyport"
)

// fault gives an error of the database its kind and its words. The causes that
// it keeps are result codes of SQLite (sqlite.org/rescode.html), the operating
// system and the context, which hold no values. Any other error is one of
// database/sql about a column it could not convert: its text quotes the value,
// so it is not kept.
func fault(err error) *sallyport.Error {
	var known *sallyport.Error
	var code *sqlite.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return sallyport.Errorf(sallyport.Interrupted, "stopped before the database was done: %w", err)
	case errors.As(err, &code):
		return coded(code)
	case errors.Is(err, fs.ErrPermission):
		return sallyport.Errorf(sallyport.Denied, "the database may not be opened: %w", err).
			Try("run as the user that the site belongs to")
	case errors.Is(err, fs.ErrNotExist):
		return sallyport.Errorf(sallyport.NotFound, "the folder of the database is not there").
			Try("make the site with: sallyport init")
	}
	if full(err) {
		return noSpace(err)
	}
	return damaged("a row does not have the form that it was written in")
}

// coded translates a result code. The low byte is the primary code, the rest
// says more about it.
func coded(err *sqlite.Error) *sallyport.Error {
	switch err.Code() {
	case lib.SQLITE_IOERR_SHMSIZE: // the index of the write-ahead log could not grow
		return noSpace(err)
	}
	switch err.Code() & 0xff {
	case lib.SQLITE_FULL:
		return noSpace(err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return sallyport.Errorf(sallyport.Busy, "another command holds the site: %w", err).
			Try("wait until it is done and try again")
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_FORMAT,
		// The statements are fixed and tested: one that makes no sense, or
		// meets another type, means that the tables are not those of schema/.
		lib.SQLITE_ERROR, lib.SQLITE_MISMATCH:
		return damaged("the database is damaged: %w", err)
	case lib.SQLITE_READONLY, lib.SQLITE_PERM, lib.SQLITE_CANTOPEN, lib.SQLITE_AUTH:
		return sallyport.Errorf(sallyport.Denied, "the database may not be opened or written: %w", err).
			Try("run as the user that the site belongs to, on a file system that can be written")
	case lib.SQLITE_INTERRUPT:
		return sallyport.Errorf(sallyport.Interrupted, "stopped before the database was done: %w", err)
	}
	return sallyport.Errorf(sallyport.Internal, "the database failed: %w", err)
}

func noSpace(err error) *sallyport.Error {
	return sallyport.Errorf(sallyport.NoSpace, "the disk is full; nothing was changed: %w", err).
		Try("make room on the disk of the site and try again")
}
