package advisory

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/pep440"
)

// realRecords and realMalicious are how many records OSV's export for PyPI and
// the list of malicious packages really have, realScores about how many lines
// EPSS has.
const (
	realRecords   = 24491
	realMalicious = 13792
	realScores    = 280000
)

// realistic is a folder with an archive of records in the numbers and sizes of the
// real ones.
func realistic(t testing.TB) fs.FS {
	t.Helper()
	draw := rand.New(rand.NewPCG(3, 4))
	folder := t.TempDir()
	f, err := os.Create(filepath.Join(folder, "all.zip"))
	check(t, err)
	defer f.Close()
	z := zip.NewWriter(f)
	add := func(name, text string) {
		w, err := z.Create(name)
		check(t, err)
		_, err = io.WriteString(w, text)
		check(t, err)
	}
	prose := strings.Repeat("An attacker who can write to the cache may run code of their own. ", 40)
	for i := range realRecords {
		var versions []string
		for n := range draw.IntN(120) {
			versions = append(versions, fmt.Sprintf(`"%d.%d.%d"`, n/40, n/10%4, n%10))
		}
		add(fmt.Sprintf("R-%d.json", i), fmt.Sprintf(`{"id": "GHSA-%d", "modified": "2024-05-01T10:00:00Z", "published": "2024-04-01T10:00:00Z", "aliases": ["CVE-2024-%d"], "summary": "Something is wrong",
			"details": %q, "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}], "references": [{"type": "WEB", "url": "https://example.org/%d"}],
			"affected": [{"package": {"ecosystem": "PyPI", "name": "package-%d"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "%d.%d"}]}], "versions": [%s]}]}`,
			i, i*2/3, prose[:draw.IntN(len(prose))], i, draw.IntN(4000), draw.IntN(3), draw.IntN(4), strings.Join(versions, ", ")))
	}
	for i := range realMalicious {
		add(fmt.Sprintf("MAL-%d.json", i), osv(fmt.Sprintf("MAL-2024-%d", i), fmt.Sprintf("bad-%d", i), `"versions": ["1.0.0", "1.0.1", "2.0"]`))
	}
	w, err := z.Create("epss_scores-2024-05-01.csv")
	check(t, err)
	fmt.Fprintln(w, "#model_version:v2025.03.14,score_date:2024-05-01T00:00:00+0000\ncve,epss,percentile")
	for i := range realScores {
		fmt.Fprintf(w, "CVE-%d-%d,0.%05d,0.5\n", 2000+i%25, i, draw.IntN(100000))
	}
	check(t, z.Close())
	return os.DirFS(folder)
}

// TestRealSize compiles as many records as there are and holds what that takes:
// 64 MiB, garbage and all.
func TestRealSize(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, so the memory of a real import is not measured: -short")
	}
	fsys := realistic(t)
	out, err := os.Create(filepath.Join(t.TempDir(), "db"))
	check(t, err)
	defer out.Close()
	runtime.GC()
	before := heap()
	done, most := make(chan bool), make(chan uint64)
	go func() {
		peak, tick := uint64(0), time.NewTicker(5*time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				most <- peak
				return
			case <-tick.C:
				peak = max(peak, heap())
			}
		}
	}()
	stats, err := Compile(context.Background(), fsys, out)
	check(t, err)
	close(done)
	peak := int64(<-most) - int64(before)
	info, err := out.Stat()
	check(t, err)
	t.Logf("%d records, %d advisories, database of %.1f MiB, at most %.1f MiB of memory", stats.Records, stats.Advisories, float64(info.Size())/(1<<20), float64(peak)/(1<<20))
	if stats.Records != realRecords+realMalicious || stats.Malicious != realMalicious {
		t.Errorf("%+v", stats)
	}
	if peak > 64<<20 {
		t.Errorf("it took %d MiB", peak>>20)
	}
}

// heap is the bytes of memory that objects take, dead ones too.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

func BenchmarkCompile(b *testing.B) {
	fsys := full(b)
	for b.Loop() {
		_, err := Compile(context.Background(), fsys, io.Discard)
		check(b, err)
	}
}

// drawn are a thousand versions of packages of the whole database.
func drawn(b *testing.B, db *DB) (names []string, versions []pep440.Version) {
	draw := rand.New(rand.NewPCG(5, 6))
	var all []string
	for name := range db.Names() {
		all = append(all, name)
	}
	for range 1000 {
		names = append(names, all[draw.IntN(len(all))])
		versions = append(versions, parse(b, fmt.Sprintf("%d.%d.%d", draw.IntN(4), draw.IntN(10), draw.IntN(10))))
	}
	return names, versions
}

// BenchmarkMatch opens the whole database and matches a thousand packages.
func BenchmarkMatch(b *testing.B) {
	path := filepath.Join(b.TempDir(), "db")
	out, err := os.Create(path)
	check(b, err)
	stats, err := Compile(context.Background(), full(b), out)
	check(b, err)
	check(b, out.Close())
	db, err := Open(path)
	check(b, err)
	names, versions := drawn(b, db)
	check(b, db.Close())
	hits := 0
	b.ReportAllocs()
	for b.Loop() {
		db, err := Open(path)
		check(b, err)
		hits = 0
		for i, name := range names {
			h, err := db.Match(name, versions[i])
			check(b, err)
			hits += len(h)
		}
		check(b, db.Close())
	}
	info, err := os.Stat(path)
	check(b, err)
	b.ReportMetric(float64(hits), "hits")
	b.ReportMetric(float64(info.Size()), "bytes")
	b.ReportMetric(float64(stats.Advisories), "advisories")
}

// BenchmarkMemo asks for 2,000,000 versions, of which 20,000 are different.
func BenchmarkMemo(b *testing.B) {
	path := filepath.Join(b.TempDir(), "db")
	out, err := os.Create(path)
	check(b, err)
	_, err = Compile(context.Background(), full(b), out)
	check(b, err)
	check(b, out.Close())
	db, err := Open(path)
	check(b, err)
	defer db.Close()
	names, _ := drawn(b, db)
	for b.Loop() {
		m := db.Memo()
		for i := range 2_000_000 {
			n := i % 20_000
			_, err := m.Match(names[n%1000], versionTexts[n/1000])
			check(b, err)
		}
	}
}

var versionTexts = []string{"0.1", "0.2", "0.9", "1.0", "1.1", "1.2", "1.5", "2.0", "2.1", "2.2.2", "2.4.0+cpu", "3", "3.1", "3.2", "4.0rc1", "5.1", "6.2", "7.7", "8", "2024.1"}
