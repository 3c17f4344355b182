package advisory

import (
	"bytes"
	"fmt"
	"io"

	"github.com/sallyport/sallyport/internal/format/json"
)

// readJSON reads a document by the keys that it has.
func (c *compiler) readJSON(file string, b []byte) (wrong, err error) {
	kind, err := kindOf(b)
	switch {
	case err != nil:
		return err, nil
	case kind == "vulnerabilities":
		return c.readKEV(file, b), nil
	case kind == "files":
		return c.readSimple(file, b)
	case kind == "affected":
		doc, err := json.Parse(bytes.NewReader(b), 0, int64(len(b)), maxTree)
		if err != nil {
			return err, nil
		}
		r, wrong := readRecord(doc)
		return nil, c.record(file, r, wrong)
	}
	return fmt.Errorf("it holds nothing that is known"), nil
}

func (c *compiler) readYAML(file string, b []byte) (wrong, err error) {
	doc, err := parseYAML(b)
	if err != nil {
		return err, nil
	}
	r, wrong := readRecord(doc)
	return nil, c.record(file, r, wrong)
}

// kinds tells kinds of documents by a key that is in no others, or not before it.
var kinds = map[string]string{
	"catalogVersion": "vulnerabilities", "vulnerabilities": "vulnerabilities",
	"files": "files", "meta": "files",
	"affected": "affected", "id": "affected", "schema_version": "affected", "modified": "affected",
}

// kindOf returns the key under which a document keeps what it is about.
func kindOf(b []byte) (string, error) {
	r := json.NewReader(bytes.NewReader(b))
	for {
		t, err := r.Next()
		if err == io.EOF {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if t.Kind != json.Key {
			continue
		}
		if kind := kinds[t.String()]; kind != "" {
			return kind, nil
		}
		if err := r.Skip(); err != nil {
			return "", err
		}
	}
}

// items calls each with every item of a document's list, one after the other,
// and text with every member that is a text.
func items(b []byte, list string, each func(*json.Value), text func(key, value string)) error {
	src := bytes.NewReader(b)
	r := json.NewReader(src)
	r.Unique = true
	key := ""
	for {
		t, err := r.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case t.Kind == json.Key && r.Depth() == 1:
			key = t.String()
		case t.Kind == json.String && r.Depth() == 1:
			text(key, t.String())
		case t.Kind == json.Object && r.Depth() == 3 && key == list:
			if err := r.Leave(); err != nil {
				return err
			}
			v, err := json.Parse(src, t.Off, r.Offset()-t.Off, maxTree)
			if err != nil {
				return err
			}
			each(v)
		case t.Kind <= json.String && r.Depth() == 2 && key == list:
			return fmt.Errorf("its list holds something else")
		}
	}
}
