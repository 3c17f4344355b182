// Package format holds what the bounded readers of file formats below it share:
// the errors that they end with and a cursor that never reads past its end.
//
// A reader of bytes from outside obeys three rules. It checks every length
// against what remains before it allocates or skips; it says at which byte it
// stopped and why, in words that hold nothing of the file; and its memory and
// work are bounded by what it was given, not by what the bytes claim.
package format

import (
	"errors"
	"fmt"
)

// A Kind says what an error means for the verdict on a file.
type Kind uint8

const (
	Broken      Kind = iota // the bytes are not what the format demands
	Unsupported             // the format allows it and this reader cannot follow it
	Exceeded                // a limit of ours was reached
)

// An Error ends the reading of a format.
type Error struct {
	Kind Kind
	Off  int64  // byte within what was read; -1 if no byte is to blame
	Text string // what is wrong, without anything that the file says
}

func (e *Error) Error() string {
	if e.Off < 0 {
		return e.Text
	}
	return fmt.Sprintf("byte %d: %s", e.Off, e.Text)
}

// Brokenf says that the byte at off is not what the format demands.
func Brokenf(off int64, text string, args ...any) error {
	return &Error{Broken, off, fmt.Sprintf(text, args...)}
}

// Unsupportedf says that the reader cannot follow what begins at off.
func Unsupportedf(off int64, text string, args ...any) error {
	return &Error{Unsupported, off, fmt.Sprintf(text, args...)}
}

// Exceededf says which limit was reached at off.
func Exceededf(off int64, text string, args ...any) error {
	return &Error{Exceeded, off, fmt.Sprintf(text, args...)}
}

// Is reports whether err is or wraps an *Error of the kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}
