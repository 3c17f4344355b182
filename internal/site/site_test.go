package site

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
)

func newSite(t *testing.T) (dir string, me *seal.Identity) {
	t.Helper()
	me, err := seal.NewIdentity("anna")
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "site")
	if err := Init(context.Background(), dir, "demo", me, sallyport.Roles); err != nil {
		t.Fatal(err)
	}
	return dir, me
}

func open(t *testing.T, dir string, as *seal.Identity) *Site {
	t.Helper()
	s, err := Open(context.Background(), dir, as)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestEnrolment wants each role to open what it is entitled to and nothing
// else, and everybody who could open something before to be able to after.
func TestEnrolment(t *testing.T) {
	ctx := context.Background()
	dir, anna := newSite(t)
	s := open(t, dir, anna)
	for _, c := range []struct {
		role         sallyport.Role
		data, output bool
	}{
		{sallyport.Developer, false, false},
		{sallyport.Steward, true, true},
		{sallyport.Operator, true, true},
		{sallyport.Reviewer, false, true},
		{sallyport.Auditor, false, false},
	} {
		id, err := seal.NewIdentity(string(c.role))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(ctx, dir, id); !sallyport.Is(err, sallyport.Denied) {
			t.Errorf("%s opened the site before enrolment: %v", c.role, err)
		}
		if _, err := s.Enrol(ctx, id, []sallyport.Role{c.role}); err != nil {
			t.Fatal(err)
		}
		theirs := open(t, dir, id)
		if got := theirs.data != nil; got != c.data {
			t.Errorf("%s opens data: %v", c.role, got)
		}
		if got := theirs.output != nil; got != c.output {
			t.Errorf("%s opens output: %v", c.role, got)
		}
		if again := open(t, dir, anna); again.data == nil || again.output == nil {
			t.Fatalf("after enrolling %s the first steward opens nothing", c.role)
		}
	}
	if _, err := s.Enrol(ctx, anna, []sallyport.Role{sallyport.Auditor}); !sallyport.Is(err, sallyport.Usage) {
		t.Errorf("enrolled twice: %v", err)
	}
	text, err := anna.Marshal("")
	if err != nil {
		t.Fatal(err)
	}
	twin, err := seal.ParseIdentity([]byte(strings.Replace(string(text), "name: anna", "name: twin", 1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enrol(ctx, twin, []sallyport.Role{sallyport.Auditor}); !sallyport.Is(err, sallyport.Usage) {
		t.Errorf("one key was enrolled under two names: %v", err)
	}
	developer, _ := seal.NewIdentity("developer")
	imposter := open(t, dir, nil)
	if _, err := imposter.Enrol(ctx, developer, sallyport.Roles); !sallyport.Is(err, sallyport.Denied) {
		t.Errorf("nobody enrolled somebody: %v", err)
	}
}

// TestRingPutInPlace puts a ring of a stranger's making where the site's is,
// wrapped for the steward, who could open it without noticing.
func TestRingPutInPlace(t *testing.T) {
	ctx := context.Background()
	dir, anna := newSite(t)
	forged, err := seal.NewRing("data").Wrap([]string{anna.Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "keys", "data-*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], forged, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, dir, anna); !sallyport.Is(err, sallyport.Corrupt) || !strings.Contains(err.Error(), "ledger vouches") {
		t.Errorf("a forged ring was opened: %v", err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, dir, anna); !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("a missing ring: %v", err)
	}
}

// TestRecoverSweeps wants keys and packs that nothing refers to to go, but not
// while somebody else is at work.
func TestRecoverSweeps(t *testing.T) {
	ctx := context.Background()
	dir, anna := newSite(t)
	s := open(t, dir, anna)
	left := []string{"keys/data-000000000000", "keys/.new-1", "packs/" + strings.Repeat("0", 32) + ".tmp"}
	for _, name := range left {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("left"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := open(t, dir, anna)
	if _, err := s.Recover(ctx); err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s went while another command was at work", name)
		}
	}
	other.Close()
	if _, err := s.Recover(ctx); err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	open(t, dir, anna) // and what is needed is there
}

// TestInitOverWhatAKillLeft wants a half-made site to be made anew.
func TestInitOverWhatAKillLeft(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "site")
	if err := os.MkdirAll(filepath.Join(dir+".new", "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	me, _ := seal.NewIdentity("anna")
	if err := Init(ctx, dir, "demo", me, sallyport.Roles); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, me)
	if _, err := s.Log.Verify(ctx, nil); err != nil {
		t.Error(err)
	}
	if err := Init(ctx, dir, "demo", me, sallyport.Roles); !sallyport.Is(err, sallyport.Usage) {
		t.Errorf("made over a site: %v", err)
	}
	if _, err := os.Stat(dir + ".new"); err == nil {
		t.Error("something is left beside the site")
	}
}

// TestLedgerKey wants a damaged or foreign ledger key to be refused.
func TestLedgerKey(t *testing.T) {
	ctx := context.Background()
	dir, anna := newSite(t)
	skey, vkey := ledger.NewKey("other")
	for name, text := range map[string]string{"empty": "", "foreign": skey + "\n" + vkey + "\n", "mixed": skey + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, "keys", "ledger"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(ctx, dir, anna); !sallyport.Is(err, sallyport.Corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
