package advisory

import (
	"cmp"
	"fmt"

	"github.com/sallyport/sallyport/internal/dist"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// readSimple reads a package's document of the simple index, which says when
// each file was published (PEP 700) and which its authors have withdrawn
// (PEP 592). A version is withdrawn if all of its files are.
func (c *compiler) readSimple(_ string, b []byte) (wrong, err error) {
	var facts []fact
	at := map[string]int{}
	name := ""
	wrong = items(b, "files", func(v *json.Value) {
		f, ok := listedFile(v)
		if !ok {
			return // of a kind that nothing installs any more
		}
		i, ok := at[f.version]
		if !ok {
			at[f.version] = len(facts)
			facts = append(facts, f)
			return
		}
		if f.Yanked == "" {
			facts[i].Yanked = ""
		}
		facts[i].Uploaded = earlier(facts[i].Uploaded, f.Uploaded)
	}, func(key, value string) {
		if key == "name" {
			name = value
		}
	})
	if wrong != nil {
		return wrong, nil
	}
	if !pep508.ValidName(name) {
		return fmt.Errorf("a document of an index has no name of a package"), nil
	}
	return nil, c.facts(pep508.Normal(name), facts)
}

// listedFile is what the index says about one file.
func listedFile(v *json.Value) (fact, bool) {
	name, ok := dist.ParseFile(v.Get("filename").Str())
	if !ok {
		return fact{}, false
	}
	version, err := pep440.Parse(name.Version)
	if err != nil {
		return fact{}, false
	}
	f := fact{version.String(), Facts{Uploaded: date(v.Get("upload-time"))}}
	switch yanked := v.Get("yanked"); {
	case yanked.Is(json.True):
		f.Yanked = "yanked"
	case yanked.Str() != "":
		f.Yanked = cmp.Or(line(yanked.Text, maxSummary), "yanked")
	}
	return f, true
}
