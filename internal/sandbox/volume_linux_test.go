//go:build amd64 || arm64

package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
)

// put returns a Fill that writes one file.
func put(name, text string) func(*os.Root) error {
	return func(r *os.Root) error { return r.WriteFile(name, []byte(text), 0o600) }
}

func TestVolumes(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("from the host"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	take := func(name string) func(*os.Root) error {
		return func(r *os.Root) error {
			b, err := r.ReadFile(name)
			got[name] = string(b)
			return err
		}
	}
	r, out := sh(t, Config{Dir: "/work", Volumes: []Volume{
		{Target: "/work/model", Writable: true, Fill: put("old", "old"), Collect: take("new")},
		{Target: "/work", Fill: func(r *os.Root) error {
			if info, err := r.Stat("model"); err != nil || !info.IsDir() {
				t.Error("the place of the inner volume is not there:", err)
			}
			b, err := os.ReadFile(secret) // what only the supervisor may read
			if err != nil {
				return err
			}
			return errors.Join(r.MkdirAll("code/deep", 0o700), r.WriteFile("code/deep/file", b, 0o600))
		}},
		{Target: "/work/data/table.csv", File: true, Fill: put("table.csv", "a,b\n")},
		{Target: "/work/metrics.json", File: true, Writable: true, Fill: put("metrics.json", ""), Collect: take("metrics.json")},
	}}, `
		set -e
		pwd
		cat code/deep/file data/table.csv model/old; echo
		for f in code/x data/table.csv data/y x; do if (echo x >$f) 2>/dev/null; then echo "wrote $f"; fi; done
		rm model/old
		echo new >model/new
		echo '{}' >metrics.json
		ls -A / /work /work/data`)
	if r.Exit != 0 {
		t.Fatalf("%+v\n%s", r, out)
	}
	if want := "/work\nfrom the hosta,b\nold\n"; !strings.HasPrefix(out, want) || strings.Contains(out, "wrote") || strings.Contains(out, ".volumes") {
		t.Error(out)
	}
	if got["new"] != "new\n" || got["metrics.json"] != "{}\n" {
		t.Errorf("collected %q", got)
	}
}

// Whatever links a program makes, Collect does not follow them out.
func TestCollectFollowsNoLinkOut(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	calls := 0
	sh(t, Config{Volumes: []Volume{{Target: "/out", Writable: true, Collect: func(r *os.Root) error {
		calls++
		for _, name := range []string{"absolute", "relative", "dir/secret", "chain", "proc/root" + secret} {
			if _, err := r.ReadFile(name); err == nil {
				t.Errorf("%s was followed", name)
			}
		}
		info, err := r.Lstat("pipe")
		if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
			t.Error(info, err)
		}
		return nil
	}}}}, "cd /out; ln -s "+secret+" absolute; ln -s ../../../../../../../.."+secret+" relative; ln -s "+filepath.Dir(secret)+
		" dir; ln -s absolute chain; ln -s /proc/self proc; mkfifo pipe")
	if calls != 1 {
		t.Errorf("collected %d times", calls)
	}
}

func TestVolumeErrors(t *testing.T) {
	no := errors.New("no")
	_, err := Run(t.Context(), Config{Args: []string{"touch", "/ran"}, Binds: System(), Env: []string{"PATH=/usr/bin"},
		Volumes: []Volume{{Target: "/v", Fill: func(*os.Root) error { return no }}}})
	if !errors.Is(err, no) {
		t.Errorf("Fill: %v", err)
	}
	r, err := Run(t.Context(), Config{Args: []string{"true"}, Binds: System(), Env: []string{"PATH=/usr/bin"},
		Volumes: []Volume{{Target: "/v", Writable: true, Collect: func(*os.Root) error { return no }}}})
	if !errors.Is(err, no) || r == nil || r.Ended != Exited {
		t.Errorf("Collect: %+v, %v", r, err)
	}
}

// Binds work below folders that only their owner may enter.
func TestBindBelowPrivateFolder(t *testing.T) {
	private := filepath.Join(t.TempDir(), "private")
	if err := os.MkdirAll(filepath.Join(private, "env"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(private, "env", "lib"), []byte("library"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(private, 0o700); err != nil {
		t.Fatal(err)
	}
	r, out := sh(t, Config{Binds: []Bind{{filepath.Join(private, "env"), "/opt/env"}, {filepath.Join(private, "env", "lib"), "/opt/one/lib"}}}, "cat /opt/env/lib /opt/one/lib")
	if r.Exit != 0 || out != "librarylibrary" {
		t.Errorf("%+v\n%s", r, out)
	}
}

func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		config Config
		kind   sallyport.Kind
	}{
		"no program":       {Config{}, sallyport.Invalid},
		"no source":        {Config{Args: []string{"x"}, Binds: []Bind{{dir + "/no", "/x"}}}, sallyport.NotFound},
		"relative":         {Config{Args: []string{"x"}, Binds: []Bind{{dir, "x"}}}, sallyport.Invalid},
		"dots":             {Config{Args: []string{"x"}, Binds: []Bind{{dir, "/a/../x"}}}, sallyport.Invalid},
		"root":             {Config{Args: []string{"x"}, Binds: []Bind{{dir, "/"}}}, sallyport.Invalid},
		"proc":             {Config{Args: []string{"x"}, Volumes: []Volume{{Target: "/proc/x"}}}, sallyport.Invalid},
		"dev":              {Config{Args: []string{"x"}, Binds: []Bind{{dir, "/dev/x"}}}, sallyport.Invalid},
		"twice":            {Config{Args: []string{"x"}, Binds: []Bind{{dir, "/x"}}, Volumes: []Volume{{Target: "/x"}}}, sallyport.Invalid},
		"place in a bind":  {Config{Args: []string{"x"}, Binds: []Bind{{dir, "/x"}}, Volumes: []Volume{{Target: "/x/y"}}}, sallyport.Invalid},
		"negative limit":   {Config{Args: []string{"x"}, Limits: Limits{Memory: -1}}, sallyport.Invalid},
		"no host":          {Config{Args: []string{"x"}, Network: []string{"a b"}}, sallyport.Invalid},
		"file not written": {Config{Args: []string{"x"}, Volumes: []Volume{{Target: "/f", File: true}}}, sallyport.Unconfined},
	} {
		r, err := Run(t.Context(), c.config)
		if r != nil || !sallyport.Is(err, c.kind) {
			t.Errorf("%s: %v, %v (%v)", name, r, err, sallyport.KindOf(err))
		}
	}
}
