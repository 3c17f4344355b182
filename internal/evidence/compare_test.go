package evidence

import (
	"crypto/elliptic"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

// TestMemoryDoesNotGrowWithTheData verifies a large file, whole and in shards,
// and counts all that was ever allocated.
func TestMemoryDoesNotGrowWithTheData(t *testing.T) {
	const size, most = 64 << 20, 4 << 20
	id := newIdentity(t, elliptic.P256())
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	write(t, big, nil)
	if err := os.Truncate(big, size); err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("\x00", size)
	for _, p := range []modelPredicate{
		{serialization{Method: "files", HashType: "sha256"}, []resource{{"big", hexSum(text), "sha256"}}},
		{serialization{Method: "shards", HashType: "sha256"}, shards(map[string]string{"big": text}, size/2, "sha256", sum256)},
	} {
		sig := filepath.Join(t.TempDir(), "sig")
		write(t, sig, signPredicate(t, id, p))
		believe := Authority{Keys: []Key{id.key(t, "")}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := VerifyModel(dir, sig, believe); err != nil {
			t.Error(err)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > most {
			t.Errorf("%s: %d bytes allocated for a file of %d", p.Serialization.Method, got, size)
		}
	}
}

// TestUnreadable holds that what cannot be read is unknown, not passed.
func TestUnreadable(t *testing.T) {
	s := newSite(t)
	dir := s.folder(t, sampleRun(), nil)
	name := filepath.Join(dir, "model.onnx")
	if err := os.Chmod(name, 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(name); err == nil {
		f.Close()
		t.Skip("SKIPPED, so nothing is proven here: this user may read every file")
	}
	r := must[Report](t)(VerifyFolder(dir, s.trust, included(s.trust.Ledger), none))
	wantKind(t, r.Err(), sallyport.Unknown, "cannot be read")
}
