package run

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/evidence"
)

// TestRevokedModel wants code that brings a revoked model to be refused, with
// what to use instead where there is something, and all other code to pass.
func TestRevokedModel(t *testing.T) {
	weights, labels := sallyport.Sum([]byte("weights")), sallyport.Sum([]byte("labels"))
	code := Code{Models: []Artefact{{Path: "base/labels", Stored: Stored{Digest: labels}}, {Path: "base/weights", Stored: Stored{Digest: weights}}}}
	gone := evidence.Revocation{Run: "first", Files: []sallyport.Digest{weights}, Reason: "somebody was taken out", At: time.Now()}
	again := gone
	again.Replaced = "second"
	for _, c := range []struct {
		code    Code
		revoked []evidence.Revocation
		want    string
	}{
		{code, nil, ""},
		{Code{}, []evidence.Revocation{gone}, ""},
		{Code{Models: code.Models[:1]}, []evidence.Revocation{gone}, ""},
		{code, []evidence.Revocation{{Run: "other", Files: []sallyport.Digest{}}, gone}, "begin from another"},
		{code, []evidence.Revocation{gone, again}, "what run second made"},
		{code, []evidence.Revocation{again, gone}, "what run second made"},
	} {
		err := c.code.without(c.revoked)
		if c.want == "" {
			if err != nil {
				t.Errorf("%v: %v", c.revoked, err)
			}
			continue
		}
		e, ok := err.(*sallyport.Error)
		if !ok || e.Kind != sallyport.Refused || e.Place != "base/weights" || !strings.Contains(e.Mend, c.want) {
			t.Errorf("%v: %+v, want %q", c.revoked, err, c.want)
		}
	}
}
