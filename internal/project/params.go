package project

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/yaml"
)

// yamlLeaf returns the value of a scalar node, with the types of number. Where
// YAML 1.1 and 1.2 disagree, what people mean wins: 1e-3 is a number.
func yamlLeaf(n ast.Node) (any, error) {
	switch v := n.(type) {
	case *ast.NullNode:
		return nil, nil
	case *ast.BoolNode:
		return v.Value, nil
	case *ast.NanNode:
		return math.NaN(), nil
	case *ast.InfinityNode:
		return v.Value, nil
	case *ast.IntegerNode:
		switch i := v.Value.(type) {
		case int64:
			return i, nil
		case uint64:
			if i > math.MaxInt64 {
				return float64(i), nil
			}
			return int64(i), nil
		}
		return nil, errors.New("a number that is out of range")
	case *ast.FloatNode:
		return v.Value, nil
	case *ast.LiteralNode:
		return v.Value.Value, nil
	case *ast.StringNode:
		if v.Token.Type == token.StringType && v.Value != "" && strings.Trim(v.Value, "0123456789.eE+-") == "" {
			if f, err := strconv.ParseFloat(v.Value, 64); err == nil {
				return f, nil
			}
		}
		return v.Value, nil
	}
	return nil, errors.New("neither a plain value, a list nor a mapping; aliases and tags are not read")
}

// SetParams returns the parameter file b, JSON or YAML, with each KEY=VALUE of
// sets carried out. Only the bytes of the values change: comments, order and
// layout stay. A key must be there already, and keeps its type.
func SetParams(b []byte, sets []string) ([]byte, error) {
	for _, set := range sets {
		key, value, found := strings.Cut(set, "=")
		if !found || key == "" {
			return nil, sallyport.Errorf(sallyport.Usage, "not KEY=VALUE").At("--set").Try("write --set model.depth=3")
		}
		var err error
		if b, err = setParam(b, key, value); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// paramsFile stands for the parameter file in places, whatever its name is.
const paramsFile = "params"

func setParam(b []byte, key, value string) ([]byte, error) {
	place := "--set " + yaml.Clean(key)
	before, err := ReadParams(paramsFile, b)
	if err != nil {
		return nil, err
	}
	old, ok := before[key]
	if !ok {
		return nil, unknownParam(before, key).At("%s", place)
	}
	text, want, err := literal(old, value)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Usage, "%w", err).At("%s", place)
	}
	d, err := yaml.New(paramsFile, b)
	if err != nil {
		return nil, err
	}
	node := findLeaf(d.Root, "", key)
	start, end, ok := span(d, node)
	if !ok {
		return nil, sallyport.Errorf(sallyport.Usage, "the value is not written on one line").At("%s", place).Try("change it in the file")
	}
	if start == end {
		text = " " + text // the key has no value yet: "key:"
	}
	out := slices.Concat(b[:start], []byte(text), b[end:])
	// The proof that nothing else moved: read again, exactly this one differs.
	after, err := ReadParams(paramsFile, out)
	if err != nil || len(after) != len(before) || after[key] != want {
		return nil, sallyport.Errorf(sallyport.Usage, "the value cannot be replaced where it stands").At("%s", place).Try("change it in the file")
	}
	for k, v := range before {
		if k != key && after[k] != v {
			return nil, sallyport.Errorf(sallyport.Usage, "the value cannot be replaced without another").At("%s", place).Try("change it in the file")
		}
	}
	return out, nil
}

func unknownParam(params map[string]any, key string) *sallyport.Error {
	var names []string
	for name := range params {
		if strings.HasPrefix(name, key+".") {
			return sallyport.Errorf(sallyport.Usage, "this key holds a list or a mapping").Try("set one of its values, such as %s", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return sallyport.Errorf(sallyport.Usage, "the project has no parameters").Try("add them to params.yaml first")
	}
	return sallyport.Errorf(sallyport.Usage, "there is no such parameter").Try("%s", yaml.Suggest(key, names))
}

// literal returns the YAML and JSON form of a value that takes old's place, and
// what reading it gives. A number stays a number and a boolean a boolean.
func literal(old any, s string) (text string, want any, err error) {
	asNumber, numErr := number(s)
	isNumber := numErr == nil && strings.Trim(s, "0123456789.eE+-") == ""
	switch old.(type) {
	case bool:
		if s != "true" && s != "false" {
			return "", nil, errors.New("the parameter is a boolean: true or false")
		}
		return s, s == "true", nil
	case int64, float64:
		if !isNumber {
			return "", nil, errors.New("the parameter is a number")
		}
		return plainNumber(asNumber), asNumber, nil
	case nil:
		switch {
		case s == "true" || s == "false":
			return s, s == "true", nil
		case s == "null":
			return s, nil, nil
		case isNumber:
			return plainNumber(asNumber), asNumber, nil
		}
	}
	if yaml.Clean(s) != s {
		return "", nil, errors.New("the value is too long or holds control characters")
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`, s, nil
}

// plainNumber writes a number so that JSON, YAML 1.1 and YAML 1.2 all read it
// back as the same number: PyYAML takes 1e-05 for a text, but not 1.0e-05.
func plainNumber(v any) string {
	if i, ok := v.(int64); ok {
		return strconv.FormatInt(i, 10)
	}
	s := strconv.FormatFloat(v.(float64), 'g', -1, 64)
	mantissa, exponent, found := strings.Cut(s, "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if !found {
		return mantissa
	}
	return mantissa + "e" + exponent
}

// findLeaf returns the node of a dotted key that ReadParams has seen.
func findLeaf(n ast.Node, at, key string) ast.Node {
	switch v := n.(type) {
	case *ast.MappingNode:
		for _, m := range v.Values {
			if found := findLeaf(m, at, key); found != nil {
				return found
			}
		}
	case *ast.MappingValueNode:
		name, _ := keyText(v.Key)
		return findLeaf(v.Value, join(at, name), key)
	case *ast.SequenceNode:
		for i, e := range v.Values {
			if found := findLeaf(e, join(at, strconv.Itoa(i)), key); found != nil {
				return found
			}
		}
	default:
		if at == key {
			return n
		}
	}
	return nil
}

// span returns the bytes of a scalar in the document, if they stand on one line.
func span(d *yaml.Document, n ast.Node) (start, end int, ok bool) {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0, 0, false
	}
	t := n.GetToken()
	if t.Position.Line < 1 || t.Position.Line > len(d.Lines) {
		return 0, 0, false
	}
	line := d.Lines[t.Position.Line-1]
	for _, l := range d.Lines[:t.Position.Line-1] {
		start += len(l) + 1
	}
	// Columns count runes from 1.
	column := 0
	for range t.Position.Column - 1 {
		_, size := utf8.DecodeRuneInString(line[column:])
		column += size
	}
	start += column
	rest := line[column:]
	switch {
	case t.Type == token.ImplicitNullType:
		// "key:" gives its null the place of the colon or just after it.
		rest = strings.TrimPrefix(rest, ":")
		start += len(line[column:]) - len(rest)
		return start, start, true
	case strings.HasPrefix(rest, `"`), strings.HasPrefix(rest, "'"):
		n := quoted(rest)
		return start, start + n, n > 0
	case strings.HasPrefix(rest, t.Value) && t.Value != "":
		return start, start + len(t.Value), true
	}
	return 0, 0, false
}

// quoted returns the length of the quoted text that s begins with, or 0.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[0] == '"' && s[i] == '\\':
			i++
		case s[i] == s[0] && s[0] == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return 0
}
