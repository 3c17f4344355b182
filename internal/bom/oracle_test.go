package bom

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/sallyport/sallyport/internal/oracle"
)

// TestOracles has the reference implementations judge what we write, by their
// schemas and by the rules that no schema can say, and prove that they can say
// no.
func TestOracles(t *testing.T) {
	var jobs []oracle.Job
	var names []string
	all := documents()
	for i := range 20 {
		all[fmt.Sprint("random ", i)] = random(rand.New(rand.NewPCG(1, uint64(i))))
	}
	for name, doc := range all {
		for _, format := range Formats {
			jobs = append(jobs, oracle.Job{"do": format, "text": string(write(t, format, doc))})
			names = append(names, name+" "+format)
		}
	}
	broken := len(jobs)
	jobs = append(jobs,
		oracle.Job{"do": CycloneDX, "text": `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":"no type"}]}`},
		oracle.Job{"do": SPDX, "text": `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT"}`})
	for i, answer := range oracle.Ask(t, "testdata/requirements.txt", "testdata/oracle.py", jobs...) {
		switch {
		case i >= broken && answer.OK():
			t.Errorf("the oracle takes anything: %s", jobs[i]["text"])
		case i < broken && !answer.OK():
			t.Errorf("%s: %s", names[i], answer["error"])
		}
	}
}
