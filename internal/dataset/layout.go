package dataset

import (
	"bytes"

	"github.com/sallyport/sallyport"
)

// A layout knows where the records of a table begin and end and whom they are
// about. Blank lines belong to the record before them, so that records put one
// after another are the file again.
type layout interface {
	// lead returns how many bytes stand before the first record: mark, blank
	// lines, header. The end of data is the end of the file if whole is true;
	// otherwise data is longer than any lead may be.
	lead(data []byte, whole bool) (int, *flaw)
	// resume takes the place of lead where a file goes on after records whose
	// columns are known.
	resume(names []string) *flaw
	// blanks returns the length of all blank lines that data begins with.
	blanks(data []byte, whole bool) int
	// split appends to ends where the records of data end, as far as they do
	// end there, until there are limit of them.
	split(data []byte, ends []uint32, limit int, whole bool) []uint32
	// subject returns the subject of a whole record, for as long as neither
	// the record nor buf, which it may use, changes. Everything that must be
	// true of a record is checked here.
	subject(record, buf []byte) ([]byte, *flaw)
	// stuck says why a record that goes on and on does not end.
	stuck(record []byte) *flaw
	// columns calls fn with each column of a valid record, its value decoded.
	columns(record []byte, fn func(name string, value []byte, kind kind))
	// names returns the columns that every record has, if there are such.
	names() []string
}

// A flaw is what is wrong with a record: the line, counted from 0 where the
// record begins, and words in which no value occurs.
type flaw struct {
	line int
	what string
	mend string
}

// at makes the flaw of a record that begins at a line of a file an error.
func (f *flaw) at(file string, line int64) error {
	return sallyport.Errorf(sallyport.Invalid, "%s", f.what).At("%s:%d", file, line+int64(f.line)).Try("%s", f.mend)
}

// newLayout returns the layout of a format.
func newLayout(format, subject string) layout {
	switch format {
	case TSV:
		return &csv{delim: '\t', by: subject}
	case JSONL:
		return &jsonl{by: subject}
	}
	return &csv{delim: ',', by: subject}
}

var bom = []byte("\xef\xbb\xbf")

// blank returns the length of the blank line that data begins with, or 0. A
// line that the end of data cuts is blank only if that is the end of the file.
func blank(data []byte, whole bool) int {
	switch {
	case len(data) > 0 && data[0] == '\n':
		return 1
	case len(data) > 1 && data[0] == '\r' && data[1] == '\n':
		return 2
	case whole && len(data) == 1 && data[0] == '\r':
		return 1
	}
	return 0
}

// lineEnd returns the length of the line that data begins with, its newline
// included; 0 if it does not end there.
func lineEnd(data []byte, whole bool) int {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1
	}
	if whole {
		return len(data)
	}
	return 0
}

// trimLine returns a line without what ends it.
func trimLine(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

var emptySubject = flaw{what: "a record without a subject could never be taken out again",
	mend: "fill in the subject, or leave the record out"}
