package sallyport

import (
	"errors"
	"fmt"
	"strings"
)

// A Kind says what sort of thing went wrong. It decides the exit code of the
// command line and the status of the server, both in one table (kinds).
type Kind uint8

// The kinds of errors. Internal is the zero value: an error that nobody gave a
// kind is a defect of Sallyport's own until somebody shows otherwise.
const (
	Internal    Kind = iota // a defect, or a fault of the machine that has no better name
	Refused                 // the check was made and the answer is no: not verified, differs, blocked
	Usage                   // the command line makes no sense
	Unknown                 // the check could not be completed; unknown is not passed
	Invalid                 // input that cannot be read as what it claims to be
	NotFound                // no such dataset, run, principal, file
	Denied                  // the principal's roles or keys do not allow it
	Busy                    // another command holds what this one needs
	Corrupt                 // stored bytes are not what was written
	Unconfined              // this host cannot confine a run
	StageFailed             // a stage ended with an error of its own
	Limit                   // a limit was reached: time, memory, processes, file size
	Newer                   // the site was written by a newer version of Sallyport
	NoSpace                 // the disk is full
	Interrupted             // somebody asked to stop
)

// kinds is the one table from kinds to names, exit codes and HTTP status.
var kinds = [...]struct {
	name string
	exit int
	http int
	when string
}{
	Internal:    {"internal", 2, 500, "a fault of Sallyport or of the machine"},
	Refused:     {"refused", 1, 409, "a check was made and did not pass (verify, reproduce)"},
	Usage:       {"usage", 2, 400, "the command line makes no sense"},
	Unknown:     {"unknown", 3, 409, "a check could not be completed; unknown is not passed"},
	Invalid:     {"invalid", 10, 422, "input that cannot be read; the message says where"},
	NotFound:    {"not found", 11, 404, "no such dataset, run, principal or file"},
	Denied:      {"denied", 12, 403, "the identity's roles or keys do not allow it"},
	Busy:        {"busy", 13, 423, "another command holds the site"},
	Corrupt:     {"corrupt", 14, 500, "stored bytes are not what was written"},
	Unconfined:  {"unconfined", 15, 501, "this host cannot confine a run; the message names what is missing"},
	StageFailed: {"stage failed", 16, 422, "a stage ended with an error of its own"},
	Limit:       {"limit", 17, 507, "a limit was reached: time, memory, processes or file size"},
	Newer:       {"newer", 18, 501, "the site was written by a newer version"},
	NoSpace:     {"no space", 19, 507, "the disk is full; nothing was changed"},
	Interrupted: {"interrupted", 130, 499, "somebody asked to stop"},
}

func (k Kind) String() string  { return kinds[k].name }
func (k Kind) ExitCode() int   { return kinds[k].exit }
func (k Kind) HTTPStatus() int { return kinds[k].http }

// ExitCodes lists every exit code with its meaning, for help and documentation.
func ExitCodes() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %3d  %s\n", 0, "done")
	for _, k := range []Kind{Refused, Internal, Usage, Unknown, Invalid, NotFound, Denied, Busy, Corrupt,
		Unconfined, StageFailed, Limit, Newer, NoSpace, Interrupted} {
		fmt.Fprintf(&b, "  %3d  %s\n", kinds[k].exit, kinds[k].when)
	}
	return b.String()
}

// An Error speaks to two audiences. Place, Msg and Mend are for the person at
// the keyboard and never hold a record's value or a subject's identifier; Err
// is the cause as the machine knows it.
type Error struct {
	Kind  Kind
	Place string // where: "data.csv:17", "stage train", "pack 3f…"; may be empty
	Msg   string // what happened, in plain English
	Mend  string // what to do next; may be empty
	Err   error  // the cause; may be nil
}

// Errorf makes an Error of kind k. A %w verb keeps the cause.
func Errorf(k Kind, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Kind: k, Msg: wrapped.Error(), Err: errors.Unwrap(wrapped)}
}

// At says where the error is and returns e.
func (e *Error) At(format string, args ...any) *Error {
	e.Place = fmt.Sprintf(format, args...)
	return e
}

// Try says what to do next and returns e.
func (e *Error) Try(format string, args ...any) *Error {
	e.Mend = fmt.Sprintf(format, args...)
	return e
}

func (e *Error) Error() string {
	if e.Place == "" {
		return e.Msg
	}
	return e.Place + ": " + e.Msg
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost Error in err's tree, or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is an Error of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }
