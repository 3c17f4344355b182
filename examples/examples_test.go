package examples

import (
	"bytes"
	"os"
	"testing"
)

// The two projects compare only as long as they see the same patients in the same
// way, in the same environment.
func TestShared(t *testing.T) {
	for _, name := range []string{"features.py", "scores.py", "requirements.in", "requirements.lock"} {
		a, err := os.ReadFile("readmission/" + name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile("readmission-sharded/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s is not the same in both", name)
		}
	}
}
