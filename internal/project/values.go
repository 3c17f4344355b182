package project

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/yaml"
	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// Bounds of a file of metrics or parameters. Each is far above what people
// write and far below what would hurt to read.
const (
	maxValues     = 10_000
	maxValueBytes = 1 << 20 // of the file
	maxYAMLBytes  = 256 << 10
	maxKeyBytes   = 256 // of a dotted key
	maxTextBytes  = 4 << 10
)

// Metrics are what a stage measured, by dotted key: {"auc": {"mean": 0.7}} is
// auc.mean, and the items of a list count from 0.
type Metrics struct {
	Values    map[string]float64 // finite numbers; true is 1 and false is 0
	NotFinite map[string]string  // keys whose value is "nan", "+inf" or "-inf"
}

// metricName bounds what a name can carry: it stands in the clear in a record.
var metricName = lazyregexp.New(`^[\pL][\pL\pN -~]{0,95}$`)

// ReadMetrics reads a metrics file, JSON or YAML by the ending of its path.
//
// It takes numbers and booleans only: metrics leave the sandbox in the clear,
// and a text could carry a record's value. For the same reason its errors give
// the place and never a key or a value.
func ReadMetrics(file string, b []byte) (Metrics, error) {
	m := Metrics{map[string]float64{}, map[string]string{}}
	err := readValues(file, b, func(key string, value any) error {
		if !metricName.MatchString(key) {
			return errors.New("a name that is not one of a metric: it begins with a letter and has at most 96 printable characters")
		}
		var f float64
		switch v := value.(type) {
		case nil:
			return nil // "not measured" is an absent metric
		case bool:
			if v {
				f = 1
			}
		case int64:
			f = float64(v)
		case float64:
			f = v
		default:
			return errors.New("a text; metrics are numbers and booleans, since a text could carry a record's value")
		}
		switch {
		case math.IsNaN(f):
			m.NotFinite[key] = "nan"
		case math.IsInf(f, 1):
			m.NotFinite[key] = "+inf"
		case math.IsInf(f, -1):
			m.NotFinite[key] = "-inf"
		default:
			m.Values[key] = f
		}
		return nil
	})
	if err != nil {
		return Metrics{}, err
	}
	return m, nil
}

// ReadParams reads a parameter file, JSON or YAML by the ending of its path,
// into its values by dotted key: nil, bool, int64, float64 or string. A number
// that is not finite is the string "nan", "+inf" or "-inf", so that every value
// has a form in JSON.
func ReadParams(file string, b []byte) (map[string]any, error) {
	params := map[string]any{}
	err := readValues(file, b, func(key string, value any) error {
		if f, ok := value.(float64); ok && math.IsNaN(f) || ok && math.IsInf(f, 0) {
			value = strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64))
		}
		params[key] = value
		return nil
	})
	if err != nil {
		return nil, err
	}
	return params, nil
}

// A collector hears of every leaf of a file, bounded in number, depth and size.
type collector struct {
	file  string
	count int
	seen  map[string]bool
	put   func(key string, value any) error
}

func readValues(file string, b []byte, put func(string, any) error) error {
	c := &collector{file: path.Base(file), seen: map[string]bool{}, put: put}
	isJSON := strings.EqualFold(path.Ext(file), ".json")
	limit := maxYAMLBytes
	if isJSON {
		limit = maxValueBytes
	}
	if len(b) > limit {
		return sallyport.Errorf(sallyport.Limit, "longer than %d KiB", limit>>10).At("%s", c.file).
			Try("keep summaries here and write long tables to an artefact")
	}
	if !utf8.Valid(b) {
		return sallyport.Errorf(sallyport.Invalid, "not a text file in UTF-8").At("%s", c.file)
	}
	if isJSON {
		return c.json(b)
	}
	return c.yaml(b)
}

// add hands on one leaf. The line is asked for only when there is an error.
func (c *collector) add(key string, line func() int, value any) error {
	s, isText := value.(string)
	var err error
	switch {
	case c.count == maxValues:
		return sallyport.Errorf(sallyport.Limit, "more than %d values", maxValues).At("%s:%d", c.file, line()).
			Try("keep summaries here and write long tables to an artefact")
	case key == "" || len(key) > maxKeyBytes || strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }):
		err = errors.New("a key that is empty, too long or not printable")
	case c.seen[key]:
		err = errors.New("the same dotted key for the second time")
	case isText && len(s) > maxTextBytes:
		err = errors.New("a text that is too long for a parameter")
	default:
		c.count++
		c.seen[key] = true
		err = c.put(key, value)
	}
	if err != nil {
		return sallyport.Errorf(sallyport.Invalid, "%w", err).At("%s:%d", c.file, line())
	}
	return nil
}

// join appends a part to a dotted key. Past the bound it returns a key that add
// refuses, so that deep files cannot make long keys.
func join(prefix, part string) string {
	if prefix == "" {
		return part
	}
	if len(prefix) > maxKeyBytes {
		return prefix
	}
	return prefix + "." + part
}

// json reads the tokens of a JSON file, which unlike decoding shows keys that
// are given twice.
func (c *collector) json(b []byte) error {
	b = quoteNonFinite(b)
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	line := func() int { return 1 + bytes.Count(b[:min(int(dec.InputOffset()), len(b))], []byte("\n")) }
	bad := func() error {
		return sallyport.Errorf(sallyport.Invalid, "not JSON").At("%s:%d", c.file, line()).Try("write one object with names and values")
	}
	var value func(key string, depth int) error
	value = func(key string, depth int) error {
		tok, err := dec.Token()
		if err != nil {
			return bad()
		}
		if depth > yaml.MaxDepth {
			return sallyport.Errorf(sallyport.Invalid, "nested more than %d deep", yaml.MaxDepth).At("%s:%d", c.file, line())
		}
		delim, ok := tok.(json.Delim)
		if !ok {
			if depth == 0 {
				return bad()
			}
			v, err := jsonLeaf(tok)
			if err != nil {
				return sallyport.Errorf(sallyport.Invalid, "%w", err).At("%s:%d", c.file, line())
			}
			return c.add(key, line, v)
		}
		for i := 0; dec.More(); i++ {
			part := strconv.Itoa(i)
			if delim == '{' {
				name, err := dec.Token()
				if err != nil {
					return bad()
				}
				part = name.(string) // More is true and the delimiter is {: a name or an error
			}
			if err := value(join(key, part), depth+1); err != nil {
				return err
			}
		}
		if _, err := dec.Token(); err != nil {
			return bad()
		}
		return nil
	}
	if err := value("", 0); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return bad()
	}
	return nil
}

// nonFinite marks a number that JSON has no form for. A file that holds the
// marked text itself means nothing else by it.
const nonFinite = `\u0000`

// quoteNonFinite makes texts of NaN, Infinity and -Infinity, which Python's
// json module writes although RFC 8259 section 6 has no such numbers.
func quoteNonFinite(b []byte) []byte {
	if !bytes.Contains(b, []byte("NaN")) && !bytes.Contains(b, []byte("Infinity")) {
		return b
	}
	out := make([]byte, 0, len(b)+len(b)/8)
	inText := false
	for i := 0; i < len(b); i++ {
		switch {
		case inText && b[i] == '\\' && i+1 < len(b):
			out = append(out, b[i])
			i++
		case b[i] == '"':
			inText = !inText
		case !inText:
			if word := nonFiniteWord(b[i:]); word != "" {
				out = append(out, `"`+nonFinite+word+`"`...)
				i += len(word) - 1
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

func nonFiniteWord(b []byte) string {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(b, []byte(word)) {
			return word
		}
	}
	return ""
}

func jsonLeaf(tok json.Token) (any, error) {
	switch v := tok.(type) {
	case json.Number:
		return number(string(v))
	case string:
		if word, marked := strings.CutPrefix(v, "\x00"); marked && word != "" && nonFiniteWord([]byte(word)) == word {
			return strconv.ParseFloat(word, 64)
		}
		return v, nil
	}
	return tok, nil
}

// number reads a decimal number: as int64 where it is whole and fits.
func number(s string) (any, error) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, errors.New("a number that is out of range")
	}
	return f, nil
}

func (c *collector) yaml(b []byte) error {
	d, err := yaml.New(c.file, b)
	if err != nil {
		// The document's errors show the line; a line of metrics is not shown.
		e, _ := errors.AsType[*sallyport.Error](err)
		msg, _, _ := strings.Cut(e.Msg, "\n")
		return sallyport.Errorf(e.Kind, "%s", msg).At("%s", e.Place).Try("check brackets, quotes and indentation there")
	}
	if d.Root == nil {
		return nil
	}
	return c.node(d.Root, "", 0)
}

func (c *collector) node(n ast.Node, key string, depth int) error {
	if depth > yaml.MaxDepth {
		return sallyport.Errorf(sallyport.Invalid, "nested more than %d deep", yaml.MaxDepth).At("%s:%d", c.file, lineOf(n))
	}
	switch v := n.(type) {
	case *ast.MappingNode:
		for _, m := range v.Values {
			if err := c.node(m, key, depth); err != nil {
				return err
			}
		}
		return nil
	case *ast.MappingValueNode:
		name, ok := keyText(v.Key)
		if !ok {
			return sallyport.Errorf(sallyport.Invalid, "a key that is no plain text or number").At("%s:%d", c.file, lineOf(v.Key))
		}
		return c.node(v.Value, join(key, name), depth+1)
	case *ast.SequenceNode:
		for i, e := range v.Values {
			if err := c.node(e, join(key, strconv.Itoa(i)), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if depth == 0 {
		return sallyport.Errorf(sallyport.Invalid, "not a mapping of names to values").At("%s:%d", c.file, lineOf(n))
	}
	value, err := yamlLeaf(n)
	if err != nil {
		return sallyport.Errorf(sallyport.Invalid, "%w", err).At("%s:%d", c.file, lineOf(n))
	}
	return c.add(key, func() int { return lineOf(n) }, value)
}

func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 1
}

// keyText returns a key as text: people write {10: 0.3} for thresholds.
func keyText(k ast.MapKeyNode) (string, bool) {
	switch v := k.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.GetToken().Value, true
	}
	return "", false
}
