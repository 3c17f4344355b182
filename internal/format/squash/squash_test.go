package squash

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"github.com/sallyport/sallyport/internal/format"
)

// samples are texts that compress well, badly and not at all, and long enough
// to go around windows.
func samples() [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	var words []byte
	for len(words) < 120_000 {
		words = fmt.Appendf(words, "%d weights of layer %d\n", rnd.IntN(1000), rnd.IntN(90))
	}
	far := bytes.Join([][]byte{noise, words, noise[:70_000], bytes.Repeat([]byte("ab"), 70_000)}, nil)
	branches := make([]byte, 40_000) // dense with what the filter for x86 looks at
	for i := range branches {
		branches[i] = []byte{0xe8, 0xe9, 0, 0xff, 1, 2, byte(rnd.Uint32())}[rnd.IntN(7)]
	}
	return [][]byte{nil, branches, []byte("a"), []byte("hello, hello, hello"), noise[:5000], words, far}
}

// A tool packs standard input to standard output.
type tool struct {
	name string
	kind Kind
	args []string
}

var tools = []tool{
	{"gzip", Gzip, []string{"gzip", "-c"}},
	{"gzip -1", Gzip, []string{"gzip", "-1c"}},
	{"bzip2", Bzip2, []string{"bzip2", "-c"}},
	{"bzip2 -1", Bzip2, []string{"bzip2", "-1c"}},
	{"xz", Xz, []string{"xz", "-c", "-T1"}},
	{"xz -0", Xz, []string{"xz", "-0c", "--check=crc32"}},
	{"xz -9e", Xz, []string{"xz", "-9ec", "--check=sha256"}},
	{"xz blocks", Xz, []string{"xz", "-c", "-T2", "--block-size=65536"}},
	{"xz delta", Xz, []string{"xz", "-c", "--check=none", "--delta=dist=4", "--lzma2=preset=6,lc=1,lp=3,pb=0"}},
	{"xz x86", Xz, []string{"xz", "-c", "--x86", "--lzma2=preset=1"}},
	{"lzma", LZMA, []string{"xz", "-c", "--format=lzma"}},
	{"lzma pb", LZMA, []string{"xz", "-c", "--format=lzma", "--lzma1=preset=9,lc=0,lp=2,pb=4,nice=5"}},
	{"lz4", LZ4, []string{"lz4", "-c", "-z"}},
	{"lz4 linked", LZ4, []string{"lz4", "-c", "-z", "-9", "-BD", "-B4", "-BX"}},
	{"lz4 legacy", LZ4, []string{"lz4", "-c", "-l"}},
	{"zstd", Zstd, []string{"zstd", "-c"}},
	{"zstd -19", Zstd, []string{"zstd", "-19", "-c", "--no-check"}},
	{"zstd -T2", Zstd, []string{"zstd", "-T2", "-1", "-c"}},
}

func (x tool) pack(t testing.TB, data []byte) []byte {
	t.Helper()
	if _, err := exec.LookPath(x.args[0]); err != nil {
		t.Skipf("%s is not installed: %s is not checked against it", x.args[0], x.kind)
	}
	cmd := exec.Command(x.args[0], x.args[1:]...)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTools reads what the tools of each format write: once, twice in a row
// where the format has that, followed by other bytes, cut off, and by single
// bytes.
func TestTools(t *testing.T) {
	for _, x := range tools {
		t.Run(x.name, func(t *testing.T) {
			for i, data := range samples() {
				packed := x.pack(t, data)
				wantOpen(t, x.kind, packed, data, int64(len(packed)))
				if len(data) > 200_000 {
					continue
				}
				if x.kind != LZMA {
					wantOpen(t, x.kind, append(bytes.Clone(packed), packed...), append(bytes.Clone(data), data...), 2*int64(len(packed)))
				}
				if x.name != "lz4 legacy" {
					wantOpen(t, x.kind, append(bytes.Clone(packed), "and other bytes"...), data, int64(len(packed)))
				}
				for _, cut := range []int{1, 5, len(packed) / 2, len(packed) - 3} {
					if cut < 1 || cut >= len(packed) || x.name == "lz4 legacy" {
						continue
					}
					if _, err := io.ReadAll(Open(x.kind, bytes.NewReader(packed[:len(packed)-cut]))); !format.Is(err, format.Broken) {
						t.Errorf("sample %d without its last %d bytes: %v", i, cut, err)
					}
				}
				if len(data) < 10_000 {
					got, err := io.ReadAll(iotest.OneByteReader(Open(x.kind, iotest.OneByteReader(bytes.NewReader(packed)))))
					if err != nil || !bytes.Equal(got, data) {
						t.Errorf("sample %d by bytes: %d bytes, %v", i, len(got), err)
					}
				}
			}
		})
	}
}

func wantOpen(t *testing.T, kind Kind, packed, data []byte, ends int64) {
	t.Helper()
	z := Open(kind, bytes.NewReader(packed))
	got, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(got, data) || z.Consumed() != ends {
		t.Errorf("%s of %d bytes: %d of %d bytes, %v; ends at %d, not %d", kind, len(packed), len(got), len(data), err, z.Consumed(), ends)
	}
}

// TestDamage flips single bits of streams that have a checksum: what comes out
// is the same, or is refused.
func TestDamage(t *testing.T) {
	data := []byte(strings.Repeat("the weights of a layer; ", 40))
	for _, x := range tools {
		if x.kind == LZMA || strings.Contains(x.name, "delta") || strings.Contains(x.name, "legacy") || x.name == "lz4 linked" || x.name == "zstd -19" {
			continue // they have no checksum
		}
		t.Run(x.name, func(t *testing.T) {
			packed := x.pack(t, data)
			for i := range packed {
				for bit := range 8 {
					packed[i] ^= 1 << bit
					z := Open(x.kind, bytes.NewReader(packed))
					if got, err := io.ReadAll(z); err == nil && !bytes.Equal(got, data) && z.Consumed() == int64(len(packed)) {
						t.Errorf("byte %d, bit %d: other bytes and no error", i, bit)
					}
					packed[i] ^= 1 << bit
				}
			}
		})
	}
}

// TestLibraries reads what encoders in Go write, also streams without a header.
func TestLibraries(t *testing.T) {
	for _, data := range samples() {
		var b bytes.Buffer
		fw, _ := flate.NewWriter(&b, 6)
		fw.Write(data)
		fw.Close()
		wantOpen(t, Deflate, b.Bytes(), data, int64(b.Len()))

		b.Reset()
		xw, _ := xz.NewWriter(&b)
		xw.Write(data)
		xw.Close()
		wantOpen(t, Xz, b.Bytes(), data, int64(b.Len()))

		b.Reset()
		lw, _ := lzma.WriterConfig{EOSMarker: true}.NewWriter(&b)
		lw.Write(data)
		lw.Close()
		wantOpen(t, LZMA, b.Bytes(), data, int64(b.Len()))
		got, err := io.ReadAll(NewLZMA(bytes.NewReader(b.Bytes()[13:]), b.Bytes()[:5], -1))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("LZMA without header: %d bytes, %v", len(got), err)
		}

		b.Reset()
		l2, _ := lzma.Writer2Config{}.NewWriter2(&b)
		l2.Write(data)
		l2.Close()
		got, err = io.ReadAll(NewLZMA2(&b, 22))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("LZMA2 without header: %d bytes, %v", len(got), err)
		}
	}
}

// TestWindow wants a window that is announced to cost nothing, and one that is
// used beyond the limit to be told.
func TestWindow(t *testing.T) {
	small := tools[6].pack(t, []byte("a small file that xz -9 gives a dictionary of 64 MiB"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	io.Copy(io.Discard, Open(Xz, bytes.NewReader(small)))
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("a file of %d bytes takes %d bytes of memory", len(small), got)
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = byte(rnd.Uint32())
	}
	far := append(append(bytes.Clone(block), bytes.Repeat([]byte{0}, maxWindow)...), block...)
	wide := tool{"", Xz, []string{"xz", "-c", "--lzma2=preset=0,dict=64MiB"}}
	if _, err := io.Copy(io.Discard, Open(Xz, bytes.NewReader(wide.pack(t, far)))); !format.Is(err, format.Exceeded) {
		t.Errorf("xz far back: %v", err)
	}
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b, zstd.WithWindowSize(64<<20))
	w.Write(far)
	w.Close()
	if _, err := io.Copy(io.Discard, Open(Zstd, &b)); !format.Is(err, format.Exceeded) {
		t.Errorf("zstd far back: %v", err)
	}
}

// TestGoesAround reads many times more than a window holds, with references as
// far back as it reaches.
func TestGoesAround(t *testing.T) {
	const dict = 64 << 10
	rnd := rand.New(rand.NewPCG(7, 8))
	data := make([]byte, 0, 20*dict)
	for len(data) < 20*dict {
		n := rnd.IntN(3000)
		if len(data) < dict/2 || rnd.IntN(8) == 0 {
			for range n {
				data = append(data, byte(rnd.Uint32()))
			}
		} else {
			from := len(data) - 1 - rnd.IntN(min(len(data), dict)-1)
			data = append(data, data[from:min(len(data), from+n)]...)
		}
	}
	packed := tool{"", Xz, []string{"xz", "-c", "--lzma2=preset=6,dict=64KiB"}}.pack(t, data)
	wantOpen(t, Xz, packed, data, int64(len(packed)))
}

// TestReaderBelow wants errors of the file itself to stay what they are.
func TestReaderBelow(t *testing.T) {
	gone := errors.New("the disk is gone")
	for kind := Gzip; kind <= Zstd; kind++ {
		if _, err := io.ReadAll(Open(kind, iotest.ErrReader(gone))); err != gone {
			t.Errorf("%s: %v", kind, err)
		}
	}
	packed := tools[0].pack(t, samples()[5])
	r := io.MultiReader(bytes.NewReader(packed[:len(packed)/2]), iotest.ErrReader(gone))
	if _, err := io.ReadAll(Open(Gzip, r)); err != gone {
		t.Errorf("in the middle: %v", err)
	}
}

// TestNone gives each reader bytes of none.
func TestNone(t *testing.T) {
	for kind := Gzip; kind <= Zstd; kind++ {
		for _, text := range []string{"", "x", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
			if _, err := io.ReadAll(Open(kind, strings.NewReader(text))); !format.Is(err, format.Broken) {
				t.Errorf("%s of %q: %v", kind, text, err)
			}
		}
	}
}

// FuzzSquash feeds every reader; the first byte chooses it.
func FuzzSquash(f *testing.F) {
	for _, x := range tools {
		if _, err := exec.LookPath(x.args[0]); err == nil {
			f.Add(append([]byte{byte(x.kind)}, x.pack(f, []byte("hello, hello, hello"))...))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		kind := Kind(data[0] % 8)
		z := Open(kind, bytes.NewReader(data[1:]))
		_, err := io.Copy(io.Discard, io.LimitReader(z, 32<<20))
		var e *format.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%s: %v", kind, err)
		}
		if z.Consumed() > int64(len(data)) || z.Consumed() < 0 {
			t.Fatalf("%s: at %d of %d", kind, z.Consumed(), len(data))
		}
	})
}

// BenchmarkXz expands what xz -6 made of text.
func BenchmarkXz(b *testing.B) {
	data := bytes.Repeat(samples()[5], 20)
	packed := tool{"", Xz, []string{"xz", "-c"}}.pack(b, data)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		io.Copy(io.Discard, Open(Xz, bytes.NewReader(packed)))
	}
}
