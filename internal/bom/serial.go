package bom

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/sallyport/sallyport"
)

// urn names a document that has no name yet by what is in it: a UUID of version
// 8, which is the one that leaves its bits to the maker (RFC 9562, section 5.8).
func urn(v any) (string, error) {
	b, err := encode(v)
	if err != nil {
		return "", err
	}
	id := sha256.Sum256(b)
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16]), nil
}

// encode writes v as JSON with a line for each value, for people and for diff.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		return nil, sallyport.Errorf(sallyport.Internal, "a bill of materials cannot be written as JSON: %w", err)
	}
	return b.Bytes(), nil
}

// compact writes a value of a property as JSON.
func compact(v any) (string, error) {
	b, err := encode(v)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return "", sallyport.Errorf(sallyport.Internal, "a property cannot be written as JSON: %w", err)
	}
	return out.String(), nil
}
