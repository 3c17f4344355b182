package advisory

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/pep440"
)

// answers is what a database says about some versions, with what went wrong.
func answers(t testing.TB, b []byte) (text string, err error) {
	db, err := New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return "", err
	}
	for _, name := range []string{"pyspark", "tensorflow", "binderhub", "listed", "none"} {
		for _, version := range []string{"0", "3.1.1", "2.4.0+cpu"} {
			v := parse(t, version)
			hits, err := db.Match(name, v)
			if err != nil {
				return "", err
			}
			facts, ok, err := db.Facts(name, v)
			if err != nil {
				return "", err
			}
			text += fmt.Sprintln(name, version, hits, facts, ok)
		}
	}
	stats, err := db.Stats()
	return text + fmt.Sprint(stats, slices.Collect(db.Names())), err
}

// sample is a database with a bit of everything, as bytes.
func sample(t testing.TB) []byte {
	t.Helper()
	fsys := fstest.MapFS{"p.json": {Data: []byte(`{"meta": {}, "name": "listed", "files": [{"filename": "listed-0.tar.gz", "yanked": true}]}`)}}
	for _, name := range []string{"PYSEC-2021-371", "PYSEC-2023-72", "PYSEC-2022-236"} {
		b, err := os.ReadFile("testdata/pypa/" + name + ".yaml")
		check(t, err)
		fsys[name] = &fstest.MapFile{Data: b}
	}
	var out bytes.Buffer
	_, err := Compile(context.Background(), fsys, &out)
	check(t, err)
	return out.Bytes()
}

// TestChangedByte changes every byte of a database, one at a time, and cuts it
// at every length. Nothing may come of it but an error or the same answers.
func TestChangedByte(t *testing.T) {
	whole := sample(t)
	want, err := answers(t, whole)
	check(t, err)
	try := func(what string, at int, b []byte) {
		t.Helper()
		got, err := answers(t, b)
		switch {
		case err != nil && !sallyport.Is(err, sallyport.Corrupt) && !sallyport.Is(err, sallyport.Newer):
			t.Errorf("%s %d: %v", what, at, err)
		case err == nil && got != want:
			t.Errorf("%s %d: other answers", what, at)
		}
		if db, err := New(bytes.NewReader(b), int64(len(b))); err == nil && db.Verify() == nil {
			t.Errorf("%s %d: verified", what, at)
		}
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1 << (i % 8)
		try("changed", i, changed)
		if i%16 == 0 {
			try("cut", i, whole[:i])
		}
	}
	try("longer", 0, append(bytes.Clone(whole), 0))
}

// parts are those of a database from which rebuilt makes another.
func parts(t testing.TB, whole []byte) (blocks, index []byte, packages int) {
	end := len(whole) - footerSize
	foot, _, err := readFooter(whole[end:], uint64(len(whole)))
	check(t, err)
	return whole[len(magic):foot.indexOff], whole[foot.indexOff:foot.statsOff], int(foot.packages)
}

// rebuilt opens a database of any blocks and index under digests that are right,
// so that what is behind them is reached, and asks it everything. One that
// verifies has to answer.
func rebuilt(t testing.TB, blocks, index []byte, packages int) {
	packages = min(packages, len(index)/rowSize)
	index = bytes.Clone(index)
	for i := range packages {
		r := readRow(index[i*rowSize:])
		if from := r.off - uint64(len(magic)); from < uint64(len(blocks)) && uint64(r.size) <= uint64(len(blocks))-from {
			r.sum = sumOf(blocks[from : from+uint64(r.size)])
			copy(index[i*rowSize:], r.append(nil))
		}
	}
	var out bytes.Buffer
	w := newWriter(&out)
	w.write(blocks)
	w.rows, w.names = index[:packages*rowSize:packages*rowSize], index[packages*rowSize:]
	_, err := w.finish(Stats{})
	check(t, err)
	db, err := New(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		return
	}
	verified := db.Verify() == nil
	for name := range db.Names() {
		for _, version := range []string{"0", "3.1.1", "2.4.0+cpu"} {
			_, err1 := db.Match(name, parse(t, version))
			_, _, err2 := db.Facts(name, parse(t, version))
			if verified && (err1 != nil || err2 != nil) {
				t.Errorf("verified, and %v %v", err1, err2)
			}
		}
	}
}

// TestForged changes databases behind their digests, in blocks and index, where
// a hostile maker could.
func TestForged(t *testing.T) {
	whole := sample(t)
	draw := rand.New(rand.NewPCG(7, 8))
	for range 4000 {
		blocks, index, packages := parts(t, bytes.Clone(whole))
		for range 1 + draw.IntN(4) {
			i := draw.IntN(len(blocks))
			switch value := byte(draw.IntN(256)); draw.IntN(6) {
			case 0:
				index[draw.IntN(len(index))] = value
			case 1:
				blocks = slices.Delete(blocks, i, i+1)
			case 2, 3:
				blocks[i] = value
			default:
				blocks[i] = []byte{0, 1, 127, 128, 255}[value%5]
			}
		}
		rebuilt(t, blocks, index, packages)
	}
}

// FuzzDatabase does so with anything.
func FuzzDatabase(f *testing.F) {
	blocks, index, packages := parts(f, sample(f))
	f.Add(blocks, index, uint8(packages))
	f.Fuzz(func(t *testing.T, blocks, index []byte, packages uint8) { rebuilt(t, blocks, index, int(packages)) })
}

// FuzzRecord reads anything as a source. A record that is read is matched as it
// says; whatever begins as data and is not read is told.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{
		osv("X-1", "p", events(`{"introduced": "0"},{"fixed": "1"}`)), osv("X-1", "p", `"versions": ["1"]`), `{"meta": {}, "name": "p", "files": [{"filename": "p-1.tar.gz"}]}`,
		`{"catalogVersion": "1", "vulnerabilities": [{"cveID": "CVE-2021-1", "dateAdded": "2021-01-01"}]}`, "#model_version:v1\ncve,epss,percentile\nCVE-2021-1,0.5,0.5\n",
		"id: X-1\naffected:\n- package: {ecosystem: PyPI, name: p}\n  versions: ['1']\n", "PK\x03\x04", "\x1f\x8b\x08",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		db, stats := database(t, fstest.MapFS{"x.json": {Data: b}})
		if stats.Files == 0 && stats.Unreadable == 0 {
			t.Error("a file was passed over in silence")
		}
		for name := range db.Names() {
			all, err := db.Advisories(name)
			check(t, err)
			hits, err := db.Match(name, parse(t, "1"))
			check(t, err)
			if len(hits) > len(all) {
				t.Errorf("%d hits of %d advisories", len(hits), len(all))
			}
		}
	})
}

// TestSpansLikeTheSchema holds the intervals of random ranges against the
// schema's way to evaluate them, event by event, for every version there is.
func TestSpansLikeTheSchema(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	var all []pep440.Version
	for i := range 12 {
		all = append(all, parse(t, fmt.Sprintf("1.%d", i)))
	}
	for range 5000 {
		list := []event{{change: introduced}}
		for range draw.IntN(7) {
			list = append(list, event{change(draw.IntN(3)), all[draw.IntN(len(all))]})
		}
		limited := draw.IntN(3) == 0
		if limited {
			list = append(list, event{limit, all[draw.IntN(len(all))]})
		}
		draw.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		o := newOrder(slices.Clone(all))
		holds := union(spans(list, o))
		for _, v := range all {
			if got, want := holds.holds(o.find(v)), bySchema(list, v); got != want {
				t.Fatalf("%v: %v is affected: %v, want %v", list, v, got, want)
			}
		}
	}
}

// bySchema is the schema's evaluation. What happens where one event says that a
// version is affected and another that it is not is as spans has it.
func bySchema(list []event, v pep440.Version) bool {
	below := func(e event) bool { return e.version.IsZero() || e.version.Compare(v) <= 0 }
	for _, e := range list {
		if e.change == limit && v.Compare(e.version) >= 0 {
			return false
		}
	}
	sorted := slices.DeleteFunc(slices.Clone(list), func(e event) bool { return e.change == limit })
	slices.SortFunc(sorted, func(a, b event) int {
		switch {
		case a.version.IsZero() || b.version.IsZero():
			return len(a.version.String()) - len(b.version.String())
		}
		return a.version.Compare(b.version)
	})
	affected := false
	for i := 0; i < len(sorted); {
		on, off, after := false, false, false
		at := sorted[i]
		for ; i < len(sorted) && sorted[i].version.Compare(at.version) == 0 && sorted[i].version.IsZero() == at.version.IsZero(); i++ {
			on = on || sorted[i].change == introduced
			off = off || sorted[i].change == fixed
			after = after || sorted[i].change == lastAffected
		}
		if !below(at) {
			break
		}
		if on != off {
			affected = on
		}
		if after && (at.version.IsZero() || v.Compare(at.version) > 0) {
			affected = false
		}
	}
	return affected
}
