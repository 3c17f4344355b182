package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

type site struct {
	*Store
	dir  string
	db   *state.DB
	ring *seal.Ring
}

func newSite(t testing.TB) *site {
	t.Helper()
	dir := t.TempDir()
	db, err := state.Open(filepath.Join(dir, "state.db"))
	check(t, err)
	t.Cleanup(func() { db.Close() })
	s, err := Open(filepath.Join(dir, "packs"))
	check(t, err)
	return &site{s, filepath.Join(dir, "packs"), db, seal.NewRing("data")}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// record finishes w and returns its segments as the state has them.
func (s *site) record(t testing.TB, w *Writer) (segs []state.Segment) {
	t.Helper()
	check(t, w.Finish())
	check(t, s.db.Update(context.Background(), func(tx *state.Tx) error {
		ids, err := w.Record(tx)
		if err != nil {
			return err
		}
		segs, err = tx.SegmentsOf(ids)
		return err
	}))
	return segs
}

// files returns the names in the store's folder that end so.
func (s *site) files(t testing.TB, suffix string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(s.dir)
	check(t, err)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	return names
}

// sample returns n bytes, some of which compress and some of which do not.
func sample(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	if r.IntN(2) == 0 {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	copy(b, bytes.Repeat([]byte("the same again, "), n/16+1))
	return b
}

func TestConcurrentPutsComeBack(t *testing.T) {
	s := newSite(t)
	w := s.NewWriter(s.ring)
	defer w.Abort()
	var mu sync.Mutex
	put := make(map[int][]byte)
	var wg sync.WaitGroup
	for g := range uint64(4) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(g, 0))
			for range 40 {
				b := sample(r, r.IntN(3)*r.IntN(1<<20))
				i, err := w.Put(b)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := w.Read(i, nil)
				if err != nil || !bytes.Equal(got, b) {
					t.Errorf("segment %d before Finish: %v", i, err)
				}
				mu.Lock()
				put[i] = b
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	segs := s.record(t, w)
	if len(segs) != len(put) {
		t.Fatalf("%d segments, want %d", len(segs), len(put))
	}
	for i, seg := range segs {
		got, err := s.Read(seg, s.ring, []byte("before "))
		check(t, err)
		if want := append([]byte("before "), put[i]...); !bytes.Equal(got, want) {
			t.Fatalf("segment %d: %d bytes, want %d", i, len(got), len(want))
		}
	}
	if left := s.files(t, tempSuffix); len(left) != 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

func TestPacksRotate(t *testing.T) {
	s := newSite(t)
	w := s.NewWriter(s.ring)
	defer w.Abort()
	noise := make([]byte, 30<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	for i := range 5 {
		noise[0] = byte(i)
		_, err := w.Put(noise)
		check(t, err)
	}
	segs := s.record(t, w)
	if packs := s.files(t, packSuffix); len(packs) != 3 {
		t.Errorf("%d packs, want 3", len(packs))
	}
	for i, seg := range segs {
		got, err := s.Read(seg, s.ring, nil)
		check(t, err)
		if got[0] != byte(i) || !bytes.Equal(got[1:], noise[1:]) {
			t.Errorf("segment %d is another", i)
		}
	}
}

// Every byte of a pack matters: changing any one of them is noticed by each
// segment that it belongs to, and the error says where.
func TestEveryByteIsGuarded(t *testing.T) {
	s := newSite(t)
	w := s.NewWriter(s.ring)
	defer w.Abort()
	for _, text := range []string{"the first", strings.Repeat("the second ", 40)} {
		_, err := w.Put([]byte(text))
		check(t, err)
	}
	segs := s.record(t, w)
	path := filepath.Join(s.dir, segs[0].Pack+packSuffix)
	whole, err := os.ReadFile(path)
	check(t, err)
	if end := segs[1].Off + segs[1].Len; end != int64(len(whole)) {
		t.Fatalf("the pack has %d bytes and segments up to %d", len(whole), end)
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1 << (i % 8)
		check(t, os.WriteFile(path, changed, 0o600))
		for j, seg := range segs {
			_, err := s.Read(seg, s.ring, nil)
			inHeader, inside := i < packHeader, int64(i) >= seg.Off && int64(i) < seg.Off+seg.Len
			kind := sallyport.Corrupt
			if i == len(packMagic) && changed[i] > packVersion {
				kind = sallyport.Newer
			}
			switch {
			case !inHeader && !inside:
				check(t, err)
			case !sallyport.Is(err, kind):
				t.Fatalf("byte %d, segment %d: %v", i, j, err)
			case !strings.Contains(err.Error(), "pack "+seg.Pack):
				t.Fatalf("byte %d: %q does not name the pack", i, err)
			}
		}
	}
	for n := range whole {
		check(t, os.WriteFile(path, whole[:n], 0o600))
		if _, err := s.Read(segs[1], s.ring, nil); !sallyport.Is(err, sallyport.Corrupt) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	check(t, os.Remove(path))
	if _, err := s.Read(segs[0], s.ring, nil); !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("removed: %v", err)
	}
}

// A row of the state that was tampered with opens nothing.
func TestRowsAreBound(t *testing.T) {
	s := newSite(t)
	w := s.NewWriter(s.ring)
	defer w.Abort()
	for _, text := range []string{"aaaaaaaaaa", "bbbbbbbbbb"} {
		_, err := w.Put([]byte(text))
		check(t, err)
	}
	segs := s.record(t, w)
	for name, change := range map[string]func(*state.Segment){
		"another key":       func(g *state.Segment) { g.Key = segs[1].Key },
		"another place":     func(g *state.Segment) { g.Off = segs[1].Off },
		"a damaged key":     func(g *state.Segment) { g.Key[3] ^= 1 },
		"no key":            func(g *state.Segment) { g.Key = nil },
		"no length":         func(g *state.Segment) { g.Len = 0 },
		"a huge length":     func(g *state.Segment) { g.Len = 1 << 60 },
		"a negative offset": func(g *state.Segment) { g.Off = -1 },
		"another pack":      func(g *state.Segment) { g.Pack = strings.Repeat("0", 32) },
		"a path":            func(g *state.Segment) { g.Pack = "../../etc/passwd" },
	} {
		seg := segs[0]
		seg.Key = bytes.Clone(seg.Key)
		change(&seg)
		if _, err := s.Read(seg, s.ring, nil); !sallyport.Is(err, sallyport.Corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Read(segs[0], nil, nil); !sallyport.Is(err, sallyport.Denied) {
		t.Errorf("no ring: %v", err)
	}
	if _, err := s.Read(segs[0], seal.NewRing("output"), nil); !sallyport.Is(err, sallyport.Denied) {
		t.Errorf("another ring: %v", err)
	}
	if _, err := s.Read(segs[0], seal.NewRing("data"), nil); !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("a ring of the same name: %v", err)
	}
	seg := segs[0]
	seg.Epoch = 7
	if _, err := s.Read(seg, s.ring, nil); !sallyport.Is(err, sallyport.NotFound) {
		t.Errorf("a destroyed epoch: %v", err)
	}
}

func TestAbortAndSweepLeaveWhatIsRecorded(t *testing.T) {
	s := newSite(t)
	put := func() *Writer {
		w := s.NewWriter(s.ring)
		_, err := w.Put([]byte("something"))
		check(t, err)
		return w
	}
	kept := put()
	segs := s.record(t, kept)
	kept.Abort()
	begun, finished := put(), put()
	check(t, finished.Finish())
	if n := len(s.files(t, "")); n != 3 {
		t.Fatalf("%d files, want 3", n)
	}
	begun.Abort()
	finished.Abort()
	if _, err := begun.Put(nil); err == nil {
		t.Error("an aborted writer goes on")
	}
	if n := len(s.files(t, "")); n != 1 {
		t.Errorf("%d files after Abort, want 1", n)
	}
	put()                    // killed while it writes
	check(t, put().Finish()) // killed before it records
	foreign := filepath.Join(s.dir, "notes.txt")
	check(t, os.WriteFile(foreign, nil, 0o600))
	var packs map[string]bool
	check(t, s.db.View(context.Background(), func(tx *state.Tx) (err error) {
		packs, err = tx.Packs()
		return err
	}))
	n, freed, err := s.Sweep(packs)
	check(t, err)
	if n != 2 || freed <= 0 {
		t.Errorf("swept %d files of %d bytes, want 2", n, freed)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error("Sweep has removed what is not its own")
	}
	got, err := s.Read(segs[0], s.ring, nil)
	if err != nil || string(got) != "something" {
		t.Errorf("after Sweep: %q, %v", got, err)
	}
	check(t, s.Remove(segs[0].Pack))
	check(t, s.Remove(segs[0].Pack))
	if err := s.Remove("../x"); err == nil {
		t.Error("a path was taken for a pack")
	}
}

func TestStreams(t *testing.T) {
	s := newSite(t)
	r := rand.New(rand.NewPCG(7, 7))
	for _, n := range []int{0, 1, streamPart - 1, streamPart, streamPart + 1, 3*streamPart + 17} {
		want := sample(r, n)
		w := s.NewWriter(s.ring)
		stream := w.Stream()
		for rest := want; len(rest) > 0; {
			k := min(len(rest), 1+r.IntN(streamPart))
			m, err := stream.Write(rest[:k])
			check(t, err)
			rest = rest[m:]
		}
		check(t, stream.Close())
		if sum := sha256.Sum256(want); stream.Digest().Hex() != hex.EncodeToString(sum[:]) || stream.Size() != int64(n) {
			t.Errorf("%d bytes: %d bytes, digest %s", n, stream.Size(), stream.Digest())
		}
		all := s.record(t, w)
		var segs []state.Segment
		for _, i := range stream.Segments() {
			segs = append(segs, all[i])
		}
		in := s.OpenStream(segs, s.ring)
		got, err := io.ReadAll(in)
		check(t, err)
		check(t, in.Close())
		check(t, in.Close())
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes come back as %d", n, len(got))
		}
	}
}

func TestStreamStopsAtDamage(t *testing.T) {
	s := newSite(t)
	w := s.NewWriter(s.ring)
	stream := w.Stream()
	_, err := stream.Write(make([]byte, 5*streamPart))
	check(t, err)
	check(t, stream.Close())
	segs := s.record(t, w)
	segs[3].Key = segs[2].Key
	in := s.OpenStream(segs, s.ring)
	n, err := io.Copy(io.Discard, in)
	if n != 3*streamPart || !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("%d bytes, then %v", n, err)
	}
	in.Close()
	in = s.OpenStream(segs[:3], s.ring) // closed with segments left: the test ends all the same
	_, err = in.Read(make([]byte, 10))
	check(t, err)
	check(t, in.Close())
}

// No byte of the packs tells what is in them: not the text, and of lengths
// only what padding leaves.
func TestNothingShows(t *testing.T) {
	s := newSite(t)
	w := s.NewWriter(s.ring)
	secret := []byte("4711 has a rare disease")
	_, err := w.Put(secret)
	check(t, err)
	_, err = w.Put(secret)
	check(t, err)
	segs := s.record(t, w)
	b, err := os.ReadFile(filepath.Join(s.dir, segs[0].Pack+packSuffix))
	check(t, err)
	for i := range len(secret) - 5 {
		if bytes.Contains(b, secret[i:i+5]) {
			t.Fatal("the pack holds plaintext")
		}
	}
	first, second := b[segs[0].Off:segs[0].Off+segs[0].Len], b[segs[1].Off:]
	if bytes.Equal(first, second) {
		t.Error("equal segments look equal")
	}
	if n := int(segs[0].Len) - seal.Overhead; n != seal.PadTo(n) {
		t.Errorf("a frame of %d bytes is not padded", n)
	}
}

func TestTooLarge(t *testing.T) {
	s := newSite(t)
	w := s.NewWriter(s.ring)
	defer w.Abort()
	if _, err := w.Put(make([]byte, MaxSegment+1)); err == nil {
		t.Error("a segment over the limit was taken")
	}
	i, err := w.Put(make([]byte, MaxSegment))
	check(t, err)
	got, err := w.Read(i, nil)
	if err != nil || len(got) != MaxSegment {
		t.Errorf("the largest segment: %d bytes, %v", len(got), err)
	}
	if _, err := s.NewWriter(nil).Put(nil); !sallyport.Is(err, sallyport.Denied) {
		t.Errorf("without a ring: %v", err)
	}
	if _, err := w.Record(nil); err == nil {
		t.Error("segments were recorded that are not durable")
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(appendFrame(nil, nil))
	f.Add(appendFrame(nil, []byte("short")))
	f.Add(appendFrame(nil, bytes.Repeat([]byte("long "), 1000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := openFrame([]byte("x"), b)
		if err != nil {
			if !sallyport.Is(err, sallyport.Corrupt) {
				t.Fatalf("kind of %v", err)
			}
		} else if out[0] != 'x' || len(out)-1 > MaxSegment {
			t.Fatalf("%d bytes", len(out))
		}
		whole, err := openFrame(nil, appendFrame(nil, b))
		if err != nil || !bytes.Equal(whole, b) {
			t.Fatalf("a frame of %d bytes comes back as %d: %v", len(b), len(whole), err)
		}
	})
}

func TestFailureKinds(t *testing.T) {
	if err := failed(&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}); !sallyport.Is(err, sallyport.NoSpace) {
		t.Errorf("a full disk: %v", err)
	}
	if err := failed(errors.New("odd")); !sallyport.Is(err, sallyport.Internal) {
		t.Errorf("anything else: %v", err)
	}
}
