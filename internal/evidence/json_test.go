package evidence

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

func TestStrictJSON(t *testing.T) {
	type inner struct {
		Name string `json:"name"`
	}
	type document struct {
		One   string            `json:"one"`
		Inner inner             `json:"inner"`
		List  []inner           `json:"list"`
		Map   map[string]inner  `json:"map"`
		Any   map[string]any    `json:"any"`
		Bytes octets            `json:"bytes"`
		Raw   json.RawMessage   `json:"raw"`
		Sums  map[string]string `json:"sums"`
	}
	for _, c := range []struct {
		name, text, words string // no words: it is read
		policy            policy
	}{
		{name: "all", text: `{"one":"1","inner":{"name":"x"},"list":[{"name":"y"}],"map":{"k":{"name":"z"}},"any":{"A":1,"a":[{"B":null}]},"bytes":"AQ==","raw":{"x":1}}`, policy: closed},
		{name: "url-safe base64", text: `{"bytes":"-_8="}`},
		{name: "unknown, open", text: `{"two":{"x":[1]}}`},
		{name: "unknown, closed", text: "{\n\"two\":2}", policy: closed, words: "doc:2: the JSON holds a key that the format does not have"},
		{name: "unknown within, closed", text: `{"list":[{"nam":""}]}`, policy: closed, words: "does not have"},
		{name: "twice", text: `{"one":"a","one":"b"}`, words: "gives a key twice"},
		{name: "twice by escape", text: `{"one":"a","\u006fne":"b"}`, words: "gives a key twice"},
		{name: "twice in a map", text: `{"sums":{"a":"1","a":"2"}}`, words: "gives a key twice"},
		{name: "twice in what is kept raw", text: `{"raw":{"a":1,"b":{"c":1,"c":2}}}`, words: "gives a key twice"},
		{name: "twice in what is unknown", text: `{"two":[{"c":1,"c":2}]}`, words: "gives a key twice"},
		{name: "wrong case", text: `{"One":"a"}`, words: "wrong case"},
		{name: "wrong case by folding", text: "{\"bytes\":\"\",\"\u212aey\":1,\"\u017fums\":{}}", words: "wrong case"},
		{name: "wrong case within", text: `{"map":{"k":{"NAME":""}}}`, words: "wrong case"},
		{name: "wrong type", text: `{"one":{}}`, words: "wrong type"},
		{name: "wrong type of a list", text: `{"list":{"name":""}}`, words: "wrong type"},
		{name: "wrong type of a number", text: `{"one":1}`, words: "wrong type"},
		{name: "two values", text: `{} {}`, words: "goes on after its end"},
		{name: "cut short", text: `{"one":`, words: "cut short"},
		{name: "empty", text: ``, words: "cut short"},
		{name: "not UTF-8", text: "{\"one\":\"\xff\"}", words: "UTF-8"},
		{name: "too deep", text: `{"any":` + strings.Repeat(`[`, 70) + strings.Repeat(`]`, 70) + `}`, words: "nested too deeply"},
		{name: "base64 with unused bits", text: `{"bytes":"AR=="}`, words: "not base64"},
		{name: "base64 with a line break", text: `{"bytes":"AQ\n=="}`, words: "not base64"},
		{name: "base64 without padding", text: `{"bytes":"AQ"}`, words: "not base64"},
		{name: "base64 of both alphabets", text: `{"bytes":"-+8="}`, words: "not base64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d document
			err := decode("doc", []byte(c.text), c.policy, &d)
			if c.words == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantKind(t, err, sallyport.Invalid, c.words)
		})
	}
}

// FuzzStrictJSON holds that what is read is written back to something that is
// read as the same, and that errors never hold the input.
func FuzzStrictJSON(f *testing.F) {
	f.Add([]byte(`{"_type":"a","subject":[{"name":"n","digest":{"sha256":"00"}}],"predicateType":"b","predicate":{}}`))
	f.Add([]byte(`{"_type":"SECRETSECRET","_type":"SECRETSECRET"}`))
	f.Add([]byte(`{"subject":"SECRETSECRET"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Statement
		if err := decode("doc", data, open, &s); err != nil {
			if strings.Contains(err.Error(), "SECRETSECRET") {
				t.Errorf("the error holds input: %v", err)
			}
			return
		}
		if len(s.Predicate) == 0 {
			s.Predicate = json.RawMessage("null")
		}
		once := must[[]byte](t)(encode(s))
		var again Statement
		if err := decode("doc", once, open, &again); err != nil {
			t.Fatalf("%v: %q", err, once)
		}
		if twice := must[[]byte](t)(encode(again)); !bytes.Equal(once, twice) {
			t.Errorf("%q became %q", once, twice)
		}
	})
}
