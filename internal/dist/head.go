package dist

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/sallyport/sallyport"
)

// maxHead bounds the fields before a package's description, in bytes.
const maxHead = 1 << 20

// A Head is the fields of a METADATA, PKG-INFO or WHEEL file, by their names in
// small letters, each with its values in order.
type Head map[string][]string

// Get is the first value of a field, or "".
func (h Head) Get(name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// ReadHead reads the fields up to the empty line, behind which there is only
// prose. A line that is no field is an error: a field that only some readers see
// would be a dependency that only some see.
func ReadHead(r io.Reader) (Head, error) {
	limited := &io.LimitedReader{R: r, N: maxHead + 1}
	lines := bufio.NewReader(limited)
	head := Head{}
	last := ""
	for {
		line, err := lines.ReadBytes('\n')
		if limited.N <= 0 {
			return nil, sallyport.Errorf(sallyport.Limit, "the package's metadata has a head longer than %d MiB", maxHead>>20)
		}
		text := bytes.TrimRight(line, "\r\n")
		if err != nil && err != io.EOF {
			return nil, err
		}
		if len(text) == 0 {
			return head, nil
		}
		name, value, found := strings.Cut(string(text), ":")
		switch {
		case (text[0] == ' ' || text[0] == '\t') && last != "":
			values := head[last]
			values[len(values)-1] += "\n" + string(bytes.TrimSpace(text))
		case !found || strings.ContainsAny(name, " \t"):
			return nil, sallyport.Errorf(sallyport.Invalid, "the package's metadata has a line that is no field")
		default:
			last = strings.ToLower(name)
			head[last] = append(head[last], strings.TrimSpace(value))
		}
		if err == io.EOF {
			return head, nil
		}
	}
}
