package dist

import (
	"encoding/base64"
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport"
)

// A Row is a line of a RECORD: a file that the package installed.
type Row struct {
	Path string // relative to the folder of packages; nobody has checked it
	Hash string // "sha256=…" in unpadded URL-safe base64, or ""
	Size int64  // -1 if it is not given
}

// Record reads a RECORD and calls each with every row, in order, until each
// returns an error.
func Record(r io.Reader, each func(Row) error) error {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = 3
	for {
		fields, err := rows.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return sallyport.Errorf(sallyport.Invalid, "the package's RECORD cannot be read")
		}
		row := Row{Path: fields[0], Hash: fields[1], Size: -1}
		if fields[2] != "" {
			if row.Size, err = strconv.ParseInt(fields[2], 10, 64); err != nil || row.Size < 0 {
				return sallyport.Errorf(sallyport.Invalid, "the package's RECORD gives a size that is no number")
			}
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// Sum returns the algorithm and the digest of the row's hash. It reports false
// if there is none, or it cannot be read.
func (r Row) Sum() (algorithm string, sum []byte, ok bool) {
	algorithm, text, found := strings.Cut(r.Hash, "=")
	if !found {
		return "", nil, false
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
	return strings.ToLower(algorithm), sum, err == nil && len(sum) > 0
}
