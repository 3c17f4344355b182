package tar

import (
	stdtar "archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

func made(t testing.TB, form stdtar.Format) []byte {
	var b bytes.Buffer
	w := stdtar.NewWriter(&b)
	long := strings.Repeat("x", 60)
	names := []string{"a.txt", "folder/b.txt", long + "/" + long + "/c.txt"}
	if form != stdtar.FormatUSTAR {
		names = append(names, "größe.txt", strings.Repeat("long/", 60)+"d.txt")
	}
	for _, name := range names {
		text := "hello from " + name
		if err := w.WriteHeader(&stdtar.Header{Name: name, Size: int64(len(text)), Mode: 0o644, Format: form}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(text))
	}
	w.WriteHeader(&stdtar.Header{Name: "folder/", Typeflag: stdtar.TypeDir, Format: form})
	w.WriteHeader(&stdtar.Header{Name: "link", Linkname: "a.txt", Typeflag: stdtar.TypeSymlink, Format: form})
	w.Close()
	return b.Bytes()
}

func read(data []byte) (names, texts []string, doubts []Doubt, err error) {
	t := NewReader(bytes.NewReader(data), int64(len(data)))
	for {
		e, err := t.Next()
		if err == io.EOF {
			return names, texts, append(doubts, t.Doubts...), nil
		}
		if err != nil {
			return names, texts, doubts, err
		}
		names, doubts = append(names, e.Name), append(doubts, e.Doubts...)
		text := ""
		if e.Regular() {
			text = string(data[e.Data : e.Data+e.Size])
		}
		texts = append(texts, text)
	}
}

// TestStandard reads what the standard library writes in each dialect, and what
// Python does, as the standard library reads it.
func TestStandard(t *testing.T) {
	archives := [][]byte{made(t, stdtar.FormatUSTAR), made(t, stdtar.FormatPAX), made(t, stdtar.FormatGNU)}
	files, err := filepath.Glob("../../inspect/archives/testdata/honest/*.tar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, data)
	}
	for i, data := range archives {
		names, texts, doubts, err := read(data)
		if err != nil || len(doubts) > 0 {
			t.Errorf("archive %d: %v, %v", i, doubts, err)
		}
		std := stdtar.NewReader(bytes.NewReader(data))
		for j := range names {
			h, err := std.Next()
			if err != nil {
				t.Fatalf("archive %d has %d members, not %d: %v", i, j, len(names), err)
			}
			want, err := io.ReadAll(std)
			if err != nil || h.Name != names[j] || string(want) != texts[j] {
				t.Errorf("archive %d, %s: %q and %d bytes, not %d, %v", i, h.Name, names[j], len(texts[j]), len(want), err)
			}
		}
		if _, err := std.Next(); err != io.EOF {
			t.Errorf("archive %d has more members: %v", i, err)
		}
	}
}

// TestWide reads sizes in base 256.
func TestWide(t *testing.T) {
	for s, want := range map[string]int64{
		"\x80\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00": 2 << 32, "00000000017\x00": 15, " 17 \x00\x00\x00\x00\x00\x00\x00\x00": 15,
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff": -1, "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff": -1, "0000000009\x00\x00": -1,
		strings.Repeat("\x00", 12): 0,
	} {
		got, ok := number([]byte(s))
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, not %d", s, got, want)
		}
	}
}

// FuzzTar also wants members to lie within the archive, one behind another.
func FuzzTar(f *testing.F) {
	for _, form := range []stdtar.Format{stdtar.FormatUSTAR, stdtar.FormatPAX, stdtar.FormatGNU} {
		f.Add(made(f, form))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var end int64
		r := NewReader(bytes.NewReader(data), int64(len(data)))
		for {
			e, err := r.Next()
			if err == io.EOF {
				return
			}
			var broken *format.Error
			if err != nil && !errors.As(err, &broken) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if e.Header < end || e.Data <= e.Header || e.Data > int64(len(data)) || e.Regular() && e.Data+e.Size > int64(len(data)) {
				t.Fatalf("a member at %d with data at %d", e.Header, e.Data)
			}
			end = e.Data
		}
	})
}
