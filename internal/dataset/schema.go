package dataset

import (
	"bytes"
	"context"
	"slices"
	"strconv"

	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// A Schema says what the columns of a version are like, as far as a sample of
// its records tells. It holds names and counts, never a value.
type Schema struct {
	Sampled int64    `json:"sampled"` // how many records were looked at, spread over the file
	Records int64    `json:"records"` // of how many
	More    int      `json:"more"`    // further fields of JSON objects that were not looked at
	Columns []Column `json:"columns"` // none for a tree
}

// A Column is one column or JSON field.
type Column struct {
	Name     string         `json:"name"`
	Type     Type           `json:"type"`
	Missing  float64        `json:"missing"`  // share of sampled records without a value
	As       map[string]int `json:"as"`       // how the missing values are written, and how often
	Distinct int64          `json:"distinct"` // different values in the sample, estimated
	Subject  bool           `json:"subject"`  // the column that says whose the record is
	Flags    []string       `json:"flags"`    // why it might identify somebody
}

// A Type is the narrowest kind of value that all sampled values are.
type Type string

// The types of columns.
const (
	Empty     Type = "empty" // no value was seen
	Integer   Type = "integer"
	Number    Type = "number"
	Boolean   Type = "boolean"
	Date      Type = "date"
	Timestamp Type = "timestamp"
	Category  Type = "category" // text with few different values
	Text      Type = "text"
	Nested    Type = "nested" // a JSON object or list
)

// kind is what a value is before one looks into it.
type kind uint8

const (
	scalar kind = iota
	truth
	absent
	nested
)

// Schema returns what the columns of a version are like. It is sealed with the
// version and needs the ring.
func (s *Store) Schema(ctx context.Context, v *Version) (*Schema, error) {
	if err := s.mayOpen(); err != nil {
		return nil, err
	}
	set, err := s.Dataset(ctx, v.Dataset)
	if err != nil {
		return nil, err
	}
	inc, err := s.increment(ctx, v)
	if err != nil {
		return nil, err
	}
	out := &Schema{Sampled: inc.Profile.Sampled, Records: v.Records, More: inc.Profile.More}
	for _, c := range inc.Profile.Columns {
		out.Columns = append(out.Columns, c.column(inc.Profile.Sampled, set.Subject))
	}
	return out, nil
}

// missing is how the absence of a value is commonly written.
var missing = []string{"", "?", "-", ".", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "Null", "null", "None", "none", "#N/A"}

var (
	dateForm  = lazyregexp.New(`^(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{4})$`)
	stampForm = lazyregexp.New(`^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?( ?(Z|[+-]\d{2}:?\d{2}))?$`)
	mailForm  = lazyregexp.New(`^[^@\s]+@[^@\s]+\.[^@\s.]+$`)
	phoneForm = lazyregexp.New(`^(\+\d[\d ()/.-]{7,18}\d|\(?0\d{1,5}\)?[ /-][\d -]{4,12}\d|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})$`)
)

// maxScanned is how much of a value is looked at.
const maxScanned = 64

// classify returns the type of a value that is not missing: of text at first,
// and whether it looks like an e-mail address or a telephone number.
func classify(v []byte, k kind) (t Type, mail, phone bool) {
	switch {
	case k == truth:
		return Boolean, false, false
	case k == nested:
		return Nested, false, false
	case len(v) > maxScanned:
		return Text, false, false
	}
	switch s := string(v); {
	case isInteger(v):
		return Integer, false, phoneForm.MatchString(s)
	case isNumber(s):
		return Number, false, false
	case isBoolean(v):
		return Boolean, false, false
	case dateForm.MatchString(s):
		return Date, false, false
	case stampForm.MatchString(s):
		return Timestamp, false, false
	default:
		return Text, mailForm.MatchString(s), phoneForm.MatchString(s)
	}
}

func isInteger(v []byte) bool {
	digits := bytes.TrimLeft(v, "+-")
	return len(digits) > 0 && len(v)-len(digits) <= 1 && len(bytes.Trim(digits, "0123456789")) == 0
}

// isNumber leaves out the words and the notations that only Go takes for numbers.
func isNumber(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' && c != 'e' && c != 'E' {
			return false
		}
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

func isBoolean(v []byte) bool {
	return slices.Contains([]string{"true", "false", "yes", "no", "y", "n", "t", "f"}, string(bytes.ToLower(v)))
}
