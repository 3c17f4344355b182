package xml

import (
	stdxml "encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

// tell writes the tokens of a document as a line.
func tell(doc string) (string, error) {
	var out strings.Builder
	r := NewReader(strings.NewReader(doc))
	for n := 0; ; n++ {
		t, err := r.Next()
		if err == io.EOF {
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		switch t.Kind {
		case Start:
			out.WriteString("<" + t.Name)
			for _, a := range t.Attrs {
				fmt.Fprintf(&out, " %s=%q", a.Name, a.Value)
			}
			out.WriteString(">")
		case End:
			out.WriteString("</" + t.Name + ">")
		case Text:
			out.WriteString(t.Text)
		case Comment:
			out.WriteString("#")
		case Instruction:
			out.WriteString("?" + t.Name)
		case Doctype:
			out.WriteString("!" + t.Name)
		}
		if n > 2*len(doc)+2 {
			return "", fmt.Errorf("more tokens than bytes pay for")
		}
	}
}

func TestRead(t *testing.T) {
	long := strings.Repeat("é&amp;", 3000)
	for doc, want := range map[string]string{
		`<a/>`: `<a></a>`,
		"\ufeff<?xml version='1.0' encoding='UTF-8'?>\n<a b='1' c = \"&lt;&#65;&#x42;\">x &amp; y<b/></a>\n": `<a b="1" c="<AB">x & y<b></b></a>`,
		`<a><!-- <b> --><?go on?><![CDATA[<x>]]></a>`:                                                        `<a>#?go</a>`,
		`<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a/>`:                                         `!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]<a></a>`,
		`<p:a xmlns:p="u">` + long + `</p:a>`:                                                                `<p:a xmlns:p="u">` + strings.ReplaceAll(long, "&amp;", "&") + `</p:a>`,
	} {
		if got, err := tell(doc); err != nil || got != want {
			t.Errorf("%.60s: %.100s, %v", doc, got, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for doc, want := range map[string]format.Kind{
		"": format.Broken, "<a>": format.Broken, "<a></b>": format.Broken, "<a/><b/>": format.Broken, "x<a/>": format.Broken,
		"<a b=1/>": format.Broken, "<a b='1' b='2'/>": format.Broken, "<a>&x;</a>": format.Broken, "<a b='<'/>": format.Broken,
		"<a>\x01</a>": format.Broken, "<a>\xff</a>": format.Broken, "<a><!DOCTYPE b></a>": format.Broken, "<a>&#0;</a>": format.Broken,
		"<?xml version='1.0' encoding='UTF-16'?><a/>": format.Unsupported, "<a>& b</a>": format.Broken, "<!DOCTYPE": format.Broken,
		strings.Repeat("<a>", 2000): format.Exceeded, "<" + strings.Repeat("a", 300) + "/>": format.Exceeded,
	} {
		if _, err := tell(doc); !format.Is(err, want) {
			t.Errorf("%.40q: %v", doc, err)
		}
	}
}

// FuzzXML wants what is accepted to be accepted by Go's own reader as well,
// which knows more about the letters of names.
func FuzzXML(f *testing.F) {
	for _, s := range []string{`<a b="1">x&amp;<b/></a>`, `<!DOCTYPE a [<!ENTITY b "c">]><a>&#65;</a>`, `<?xml version="1.0"?><!-- x --><p:a xmlns:p="u"><![CDATA[y]]></p:a>`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		got, err := tell(doc)
		if err != nil {
			if !format.Is(err, format.Broken) && !format.Is(err, format.Unsupported) && !format.Is(err, format.Exceeded) {
				t.Fatal(err)
			}
			return
		}
		if strings.ContainsAny(got, "!?#:") {
			return // where the two differ in how much they look at
		}
		d := stdxml.NewDecoder(strings.NewReader(doc))
		starts := 0
		for {
			tok, err := d.Token()
			if err != nil {
				break
			}
			if _, ok := tok.(stdxml.StartElement); ok {
				starts++
			}
		}
		if n := strings.Count(got, "</"); starts > n {
			t.Fatalf("%d elements, and %d by another reader", n, starts)
		}
	})
}
