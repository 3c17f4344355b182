package dataset

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// generate writes a CSV of about size bytes, every record of it different and
// most subjects with one record, and returns its path.
func generate(t testing.TB, size int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "big.csv")
	f, err := os.Create(path)
	check(t, err)
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	w.WriteString("id,subject,age,code,score,note\n")
	var b []byte
	x := uint64(1)
	for n, i := 0, 0; n < size; n, i = n+len(b), i+1 {
		x = x*6364136223846793005 + 1442695040888963407
		b = strconv.AppendInt(b[:0], int64(i), 10)
		b = strconv.AppendUint(append(b, ','), x>>36, 10)
		b = strconv.AppendUint(append(b, ','), x>>20%90, 10)
		b = append(strconv.AppendUint(append(b, ",V"...), x>>24%1000, 10), ",0."...)
		b = strconv.AppendUint(b, x>>12, 10)
		b = append(strconv.AppendUint(append(b, ",\"seen, "...), x, 16), "\"\n"...)
		w.Write(b)
	}
	check(t, w.Flush())
	return path
}

// Memory does not grow with the data.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TESTED with -short: peak memory of adding and getting 300 MB")
	}
	if raceEnabled {
		t.Skip("NOT TESTED with -race, which needs memory of its own: peak memory of adding and getting 300 MB")
	}
	const limit = 256_000 // KB
	dir := t.TempDir()
	newStore(t, dir)
	path := generate(t, 300_000_000)
	out := filepath.Join(t.TempDir(), "out")
	for _, cmd := range []*exec.Cmd{child("add", dir, "d", path, "subject"), child("get", dir, "d", out)} {
		what := cmd.Args[1]
		cmd.Env = append(cmd.Env, "GOMEMLIMIT=", "GOGC=", statusEnv+"=1")
		status, err := cmd.Output()
		check(t, err)
		found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
		if found == nil {
			t.Fatalf("no peak in %q", status)
		}
		peak, err := strconv.Atoi(string(found[1]))
		check(t, err)
		t.Logf("%s: %d KB at most", what, peak)
		if peak > limit {
			t.Errorf("%s takes %d KB of memory, more than %d", what, peak, limit)
		}
	}
	sameFile(t, out, path)
}

func sameFile(t *testing.T, a, b string) {
	t.Helper()
	f, err := os.Open(a)
	check(t, err)
	defer f.Close()
	g, err := os.Open(b)
	check(t, err)
	defer g.Close()
	p, q := bufio.NewReaderSize(f, 1<<20), bufio.NewReaderSize(g, 1<<20)
	for {
		x, errX := p.Peek(1 << 20)
		y, errY := q.Peek(1 << 20)
		if !bytes.Equal(x, y) || errX != errY {
			t.Fatal("the files differ")
		}
		if errX != nil {
			return
		}
		p.Discard(len(x))
		q.Discard(len(y))
	}
}

func BenchmarkAdd(b *testing.B) {
	path := generate(b, 64<<20)
	info, err := os.Stat(path)
	check(b, err)
	b.SetBytes(info.Size())
	for b.Loop() {
		b.StopTimer()
		s := newStore(b, b.TempDir())
		b.StartTimer()
		add(b, s, "d", Source{Path: path, Subject: "subject"})
	}
}

func BenchmarkGet(b *testing.B) {
	s := newStore(b, b.TempDir())
	v, _ := add(b, s, "d", Source{Path: generate(b, 64<<20), Subject: "subject"})
	b.SetBytes(v.Bytes)
	dst := filepath.Join(b.TempDir(), "out")
	for b.Loop() {
		check(b, s.Get(b.Context(), v.Ref(), dst, nil))
		b.StopTimer()
		check(b, os.Remove(dst))
		b.StartTimer()
	}
}
