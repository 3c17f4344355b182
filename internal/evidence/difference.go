package evidence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
)

// A Difference lists what a folder and the evidence about it disagree on.
type Difference struct{ Missing, Extra, Changed Names }

// Names are file names: how many, and the first of them to be found. The list
// is short so that a folder full of strange files cannot fill the memory.
type Names struct {
	Count int
	First []string
}

// maxNames bounds the names that a person is shown.
const maxNames = 10

func (n *Names) add(name string) {
	n.Count++
	if len(n.First) < maxNames {
		n.First = append(n.First, name)
	}
}

// None reports whether there is no difference.
func (d Difference) None() bool {
	return d.Missing.Count == 0 && d.Extra.Count == 0 && d.Changed.Count == 0
}

func (d Difference) String() string {
	var parts []string
	for _, p := range []struct {
		verb  string
		names Names
	}{{"changed", d.Changed}, {"missing", d.Missing}, {"covered by no signature", d.Extra}} {
		if p.names.Count == 0 {
			continue
		}
		shown := make([]string, len(p.names.First))
		for i, name := range p.names.First {
			shown[i] = fmt.Sprintf("%q", name)
		}
		slices.Sort(shown)
		text := p.verb + ": " + strings.Join(shown, ", ")
		if more := p.names.Count - len(shown); more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

func (d Difference) err(place string) error {
	if d.None() {
		return nil
	}
	return sallyport.Errorf(sallyport.Refused, "the files are not those that were signed: %s", d).At("%s", place).
		Try("get the folder again from where it was made")
}
