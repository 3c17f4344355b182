package evidence

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/sallyport/sallyport"
)

// golden compares got, indented, with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	if *update {
		write(t, "testdata/"+name, b.Bytes())
	}
	want := must[[]byte](t)(os.ReadFile("testdata/" + name))
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", name, b.Bytes())
	}
}

func TestGoldenProvenance(t *testing.T) {
	golden(t, "provenance.json", must[[]byte](t)(encode(sampleStatement(t))))
}

func TestProvenanceRoundTrip(t *testing.T) {
	s := sampleStatement(t)
	p := must[Provenance](t)(ReadProvenance("p", s))
	run := sampleRun()
	if !reflect.DeepEqual(p.BuildDefinition.ExternalParameters, run.Request) {
		t.Errorf("got %+v, want %+v", p.BuildDefinition.ExternalParameters, run.Request)
	}
	if m := p.RunDetails.Metadata; !m.StartedOn.Equal(run.Started) || !m.FinishedOn.Equal(run.Finished) || m.InvocationID != "run/"+run.ID {
		t.Errorf("got %+v", m)
	}
}

// TestProvenanceHasOneSpelling holds that the order in which files are given
// does not change a byte.
func TestProvenanceHasOneSpelling(t *testing.T) {
	files := filesOf(contents)
	want := must[[]byte](t)(encode(must[Statement](t)(Attest(sampleRun(), files))))
	for range files {
		files = append(files[1:], files[0])
		if got := must[[]byte](t)(encode(must[Statement](t)(Attest(sampleRun(), files)))); !bytes.Equal(got, want) {
			t.Fatalf("%s\n%s", got, want)
		}
	}
}

func TestAttestRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Run)
		words  string
	}{
		{"no code", func(r *Run) { r.Source = Source{} }, "names no code"},
		{"half a commit", func(r *Run) { r.Source.Commit = "0a0a" }, "full git hash"},
		{"no kind of data", func(r *Run) { r.Data = "" }, "real or a twin"},
		{"no ID", func(r *Run) { r.ID = "" }, "names no run"},
		{"backwards", func(r *Run) { r.Started, r.Finished = r.Finished, r.Started }, "ends before it starts"},
		{"a dataset without a root", func(r *Run) { r.Datasets = []Dataset{{}} }, "not SHA-256"},
		{"a byproduct without a digest", func(r *Run) { r.Byproducts = []File{{Name: "log"}} }, "no SHA-256 digest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := sampleRun()
			c.change(&run)
			_, err := Attest(run, filesOf(contents))
			wantKind(t, err, sallyport.Invalid, c.words)
		})
	}
	_, err := Attest(sampleRun(), nil)
	wantKind(t, err, sallyport.Invalid, "no subject")
	for _, name := range []string{"", ".", "/etc/passwd", "../up", "a/../b", "a//b", "a/", "nul\x00", "bad\xff"} {
		_, err := Attest(sampleRun(), []File{{name, sallyport.Sum(nil)}})
		wantKind(t, err, sallyport.Invalid, "not a path below")
	}
	_, err = Attest(sampleRun(), slices.Repeat(filesOf(map[string]string{"a": ""}), 2))
	wantKind(t, err, sallyport.Invalid, "given twice")
}

func TestReadProvenanceRefuses(t *testing.T) {
	s := sampleStatement(t)
	s.PredicateType = ModelType
	_, err := ReadProvenance("p", s)
	wantKind(t, err, sallyport.Invalid, "not SLSA provenance")
	s = sampleStatement(t)
	s.Predicate = bytes.Replace(s.Predicate, []byte(BuildType), []byte("https://example.org/other"), 1)
	_, err = ReadProvenance("p", s)
	wantKind(t, err, sallyport.Invalid, "build type")
}

func FuzzProvenance(f *testing.F) {
	f.Add(must[[]byte](f)(encode(sampleStatement(f))))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseStatement("s", data)
		if err != nil {
			return
		}
		if p, err := ReadProvenance("s", s); err == nil {
			if _, err := newStatement(ProvenanceType, s.Subject, p); err != nil {
				t.Error(err)
			}
			if files, err := subjects("s", s); err == nil && len(files) != len(s.Subject) {
				t.Errorf("%d files of %d subjects", len(files), len(s.Subject))
			}
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add([]byte(`{"n":3,"kind":"run.finished","time":"2026-03-01T09:04:31Z","by":"olga","object":"run/1","digest":"sha256:00","holds":{"model/model.sig":"sha256:00"}}`))
	f.Add([]byte(`{"kind":"run.finished","holds":{"a":"1","a":"2"}}`))
	f.Fuzz(func(t *testing.T, leaf []byte) {
		if e, err := ParseEntry("e", leaf); err == nil && (e.Kind != runFinished || e.holds(leaf)) {
			t.Errorf("%+v", e)
		}
	})
}
