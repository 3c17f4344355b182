package hdf5

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

// unpack reads a file of testdata.
func unpack(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// listing describes a file as testdata/make.py does.
func listing(data []byte) (string, error) {
	var lines []string
	objects := 0
	pending := []string{} // attributes of the object that is being read
	r := bytes.NewReader(data)
	_, err := Walk(r, r.Size(), Find(r, r.Size()), Visit{
		Object: func(o *Object) error {
			objects++
			lines = append(lines, "object "+o.Kind.String())
			for _, p := range pending {
				lines = append(lines, fmt.Sprintf(p, o.Kind))
			}
			pending = nil
			return nil
		},
		Attribute: func(a *Attribute) error {
			line := "attribute %s " + fmt.Sprintf("%s %d", a.Name, a.Count)
			if a.Type.Class == String || a.Type.Text {
				err := a.Values(func(off, n int64) error {
					if v := bytes.TrimRight(data[off:off+n], "\x00"); len(v) > 0 {
						line += " " + hex.EncodeToString(v)
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			pending = append(pending, line)
			return nil
		},
		Link: func(l *Link) error {
			kind := map[int]string{Soft: "soft", External: "external"}[l.Type]
			lines = append(lines, fmt.Sprintf("link %s %s %s %s", l.Name, kind, l.File, l.Target))
			return nil
		},
	})
	slices.Sort(lines)
	return fmt.Sprintf("objects %d\n%s\n", objects, strings.Join(slices.Compact(lines), "\n")), err
}

// TestListing compares what is seen in files of every version of the format
// with what the library itself sees.
func TestListing(t *testing.T) {
	names, _ := filepath.Glob("testdata/*.h5.gz")
	if len(names) < 16 {
		t.Fatalf("only %d files", len(names))
	}
	for _, name := range names {
		want := string(unpack(t, strings.TrimSuffix(name, ".h5.gz")+".txt.gz"))
		got, err := listing(unpack(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got != want {
			t.Errorf("%s: %s", name, difference(got, want))
		}
	}
}

func difference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is %.300q, want %.300q", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}

// TestStorage wants what lies outside of the file to be told.
func TestStorage(t *testing.T) {
	for _, v := range []string{"earliest", "latest"} {
		data := unpack(t, "testdata/outside-"+v+".h5.gz")
		var files, sources []string
		r := bytes.NewReader(data)
		_, err := Walk(r, r.Size(), 0, Visit{Storage: func(s *Storage) error {
			for _, f := range s.Files {
				files = append(files, s.Object.Path()+" "+f.Name)
			}
			for _, f := range s.Sources {
				sources = append(sources, s.Object.Path()+" "+f.Name)
			}
			return nil
		}})
		if err != nil || !slices.Equal(files, []string{"/external /etc/passwd", "/external b.bin"}) || !slices.Equal(sources, []string{"/virtual /data/other.h5"}) {
			t.Errorf("%s: files %q, sources %q, %v", v, files, sources, err)
		}
		data = unpack(t, "testdata/ordinary-"+v+".h5.gz")
		var filters []uint16
		r = bytes.NewReader(data)
		if _, err := Walk(r, r.Size(), 0, Visit{Storage: func(s *Storage) error {
			for _, f := range s.Filters {
				filters = append(filters, f.ID)
			}
			return nil
		}}); err != nil {
			t.Error(err)
		}
		slices.Sort(filters)
		if !slices.Equal(filters, []uint16{1, 2, 3, 32000}) {
			t.Errorf("%s: filters %v", v, filters)
		}
	}
}

// TestValues reads a data set of texts, and refuses one that is compressed.
func TestValues(t *testing.T) {
	data := unpack(t, "testdata/texts.h5.gz")
	r := bytes.NewReader(data)
	got := map[string]string{}
	if _, err := Walk(r, r.Size(), 0, Visit{Storage: func(s *Storage) error {
		err := s.Values(func(off, n int64) error {
			got[s.Object.Path()] += string(data[off:off+n]) + " "
			return nil
		})
		if format.Is(err, format.Unsupported) {
			got[s.Object.Path()] = "unsupported"
			return nil
		}
		return err
	}}); err != nil {
		t.Fatal(err)
	}
	if got["/chunked"] != "one two three four five " || got["/compressed"] != "unsupported" || got["/never"] != "" || got["/numbers"] != "unsupported" {
		t.Errorf("%q", got)
	}
}

// TestTruncated cuts a file everywhere and wants an error each time.
func TestTruncated(t *testing.T) {
	data := unpack(t, "testdata/ordinary-latest.h5.gz")
	for n := 8; n < len(data); n += 7 {
		if _, err := listing(data[:n]); !format.Is(err, format.Broken) {
			t.Fatalf("of %d bytes the first %d: %v", len(data), n, err)
		}
	}
}

// TestChecksums changes each byte of a file whose structure has checksums, and
// wants the walk to end in good order; and some to be seen.
func TestChecksums(t *testing.T) {
	data := unpack(t, "testdata/ordinary-latest.h5.gz")
	broken := 0
	for i := 0; i < len(data); i += 13 {
		data[i] ^= 0x55
		_, err := listing(data)
		if format.Is(err, format.Broken) {
			broken++
		}
		wantOurs(t, err)
		data[i] ^= 0x55
	}
	if broken < 25 {
		t.Errorf("only %d of %d changes were seen", broken, len(data)/13)
	}
}

func wantOurs(t *testing.T, err error) {
	t.Helper()
	var e *format.Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("error %v", err)
	}
}

// TestFind looks where the library looks and nowhere else.
func TestFind(t *testing.T) {
	for at, want := range map[int]int64{0: 0, 512: 512, 4096: 4096, 1: -1, 1536: -1} {
		data := append(make([]byte, at), signature...)
		r := bytes.NewReader(data)
		if got := Find(r, r.Size()); got != want {
			t.Errorf("at %d: found at %d", at, got)
		}
	}
}

// TestStopped wants an error of the visitor to end the walk.
func TestStopped(t *testing.T) {
	stop := errors.New("stop")
	r := bytes.NewReader(unpack(t, "testdata/ordinary-latest.h5.gz"))
	for name, v := range map[string]Visit{
		"step":      {Step: func(int) error { return stop }},
		"attribute": {Attribute: func(*Attribute) error { return stop }},
		"link":      {Link: func(*Link) error { return stop }},
		"storage":   {Storage: func(*Storage) error { return stop }},
		"object":    {Object: func(*Object) error { return stop }},
	} {
		if _, err := Walk(r, r.Size(), 0, v); err != stop {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzHDF5(f *testing.F) {
	names, _ := filepath.Glob("testdata/[ot]*.h5.gz")
	for _, name := range names {
		if data := unpack(f, name); len(data) < 40<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := listing(data)
		wantOurs(t, err)
		r := bytes.NewReader(data)
		if base := Find(r, r.Size()); base >= 0 {
			_, err := Walk(r, r.Size(), base, Visit{Storage: func(s *Storage) error {
				return s.Values(func(off, n int64) error { _ = data[off : off+n]; return nil })
			}})
			wantOurs(t, err)
		}
	})
}
