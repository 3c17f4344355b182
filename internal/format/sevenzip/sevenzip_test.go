package sevenzip

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

func read(data []byte) (map[string]string, error) {
	a, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	members := map[string]string{}
	err = a.Each(func(_ int, m *Member, r io.Reader) error {
		b, err := io.ReadAll(io.LimitReader(r, 32<<20))
		if !m.Dir {
			members[m.Name] = string(b)
		}
		return err
	})
	return members, err
}

// TestPython reads what py7zr writes with each of its filters.
func TestPython(t *testing.T) {
	names, err := filepath.Glob("../../inspect/archives/testdata/honest/*.7z")
	if err != nil || len(names) < 5 {
		t.Fatal("no archives", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(data)
		if err != nil || len(got) != 3 || got["größe.txt"] != "hello" || len(got["a/table.csv"]) < 100 || got["empty.txt"] != "" {
			t.Errorf("%s: %d members, %v", name, len(got), err)
		}
	}
}

// TestTool reads what 7-Zip writes with each of its methods, one member in a
// folder and several.
func TestTool(t *testing.T) {
	tool, err := exec.LookPath("7zz")
	if err != nil {
		t.Skip("7zz is not installed: the reader is not checked against it")
	}
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(1, 2))
	want := map[string]string{"empty": ""}
	for i := range 20 {
		var b []byte
		for range rnd.IntN(4000) {
			b = fmt.Appendf(b, "%d,", rnd.IntN(50))
		}
		want[fmt.Sprintf("d%d/f%d.csv", i%3, i)] = string(b)
	}
	program, err := os.ReadFile(tool) // the filter for x86 needs a program to be of use
	if err != nil {
		t.Fatal(err)
	}
	want["program"] = string(program[:min(len(program), 100_000)])
	for name, text := range want {
		os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, args := range [][]string{
		{"-mx1"}, {"-m0=LZMA"}, {"-m0=LZMA2:d=1m"}, {"-m0=BZip2"}, {"-m0=Deflate"}, {"-m0=Copy"}, {"-ms=off"}, {"-mhc=off"}, {"-m0=Delta:4", "-m1=LZMA2"},
		{"-m0=BCJ", "-m1=LZMA"},
	} {
		out := filepath.Join(t.TempDir(), fmt.Sprintf("%d.7z", i))
		cmd := exec.Command(tool, append([]string{"a", "-bd", out, "."}, args...)...)
		cmd.Dir = dir
		if log, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, log)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(data)
		if err != nil {
			t.Errorf("%v: %v", args, err)
		}
		for name, text := range want {
			if got[name] != text {
				t.Errorf("%v, %s: %d bytes, not %d", args, name, len(got[name]), len(text))
			}
		}
		for range 15 {
			at, bit := rnd.IntN(len(data)), rnd.IntN(8)
			data[at] ^= 1 << bit
			if got, err := read(data); err == nil {
				for name, text := range want {
					if got[name] != text {
						t.Fatalf("%v, byte %d, bit %d: %s is other and nothing was said", args, at, bit, name)
					}
				}
			}
			data[at] ^= 1 << bit
		}
	}
}

func FuzzSevenzip(f *testing.F) {
	names, _ := filepath.Glob("../../inspect/archives/testdata/*/*.7z")
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// Checksums stand between the fuzzer and the header: put them right.
		if len(data) > 32 {
			mend(data)
		}
		_, err := read(data)
		var e *format.Error
		if err != nil && !errors.As(err, &e) && err != ErrEncrypted {
			t.Fatal(err)
		}
	})
}

// mend makes the checksums of the header those of its bytes.
func mend(data []byte) {
	le := binary.LittleEndian
	off, n := le.Uint64(data[12:]), le.Uint64(data[20:])
	if rest := uint64(len(data) - 32); off <= rest && n <= rest-off {
		le.PutUint32(data[28:], crc32.ChecksumIEEE(data[32+off:32+off+n]))
	}
	le.PutUint32(data[8:], crc32.ChecksumIEEE(data[12:32]))
}
