package env

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport"
)

// machine is the environment that the tests were started in.
var machine = os.Environ()

// TestMain takes uv off PATH and points pip at a folder of wheels alone, for
// all tests that do not ask for more: they can then run at the same time.
func TestMain(m *testing.M) {
	if os.Getenv("ENV_TEST_STORE") != "" {
		os.Exit(m.Run()) // TestBuilder, within the environment of its parent
	}
	dir, err := os.MkdirTemp("", "wheels-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var rest []string
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(folder, "uv")); err != nil {
			rest = append(rest, folder)
		}
	}
	house = dir
	os.Setenv("PATH", strings.Join(rest, string(os.PathListSeparator)))
	os.Setenv("PIP_NO_INDEX", "1")
	os.Setenv("PIP_FIND_LINKS", house)
	os.Setenv("PIP_INDEX_URL", "https://user:secret@index.invalid/simple")
	code := m.Run()
	if built.store != nil {
		removeTree(built.store.Dir)
	}
	removeTree(house)
	os.Exit(code)
}

// needPip skips a test that cannot be made where Python has no pip.
func needPip(t *testing.T) *Python {
	t.Helper()
	p, err := Discover(t.Context())
	if err != nil || p.pip == "" {
		t.Skipf("SKIPPED: no Python with pip here, so no environment was built: %v", err)
	}
	return p
}

// newStore makes a store whose read-only folders the test can clean up.
func newStore(t *testing.T) *Store {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "env")
	t.Cleanup(func() { removeTree(dir) })
	return &Store{Dir: dir}
}

func ensure(t *testing.T, s *Store, l *Lock) *Environment {
	t.Helper()
	var progress bytes.Buffer
	e, err := s.Ensure(t.Context(), l, Options{Progress: &progress})
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	return e
}

// built is one environment that tests share, and what was said to those who
// asked for it at once.
var built struct {
	once  sync.Once
	store *Store
	env   *Environment
	got   [3]*Environment
	said  [3]bytes.Buffer
}

// plain returns the environment of one package, of one module, and its lock.
func plain(t *testing.T) (*Store, *Environment, *Lock) {
	t.Helper()
	w := newWheelhouse()
	w.add(t, "alpha", "1.0", map[string]string{"alpha.py": "A = 1\n"})
	l := w.pinned(t)
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "env-")
		if err != nil {
			t.Fatal(err)
		}
		built.store = &Store{Dir: dir}
		var wg sync.WaitGroup
		for i := range built.got {
			wg.Go(func() {
				var err error
				if built.got[i], err = built.store.Ensure(t.Context(), l, Options{Progress: &built.said[i]}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		built.env = built.got[0]
	})
	if built.env == nil {
		t.Fatal("the shared environment was not built")
	}
	return built.store, built.env, l
}

// Built twice in two places, with a path long enough for installers to change
// their scripts, the tree is the same; and it does not know where it was built.
func TestSameTreeAnywhere(t *testing.T) {
	t.Parallel()
	needPip(t)
	w := newWheelhouse()
	mark := filepath.Join(t.TempDir(), "mark")
	w.addUsual(t, mark)
	first, second := newStore(t), newStore(t)
	second.Dir = filepath.Join(filepath.Dir(second.Dir), strings.Repeat("long ", 30), "env")
	t.Cleanup(func() { removeTree(second.Dir) })
	var a, b *Environment
	t.Run("two builds", func(t *testing.T) {
		for s, e := range map[*Store]**Environment{first: &a, second: &b} {
			t.Run("build", func(t *testing.T) {
				t.Parallel()
				*e = ensure(t, s, w.pinned(t))
			})
		}
	})
	if a == nil || b == nil {
		t.Fatal("not built")
	}
	if a.Tree != b.Tree || a.ID != b.ID {
		t.Errorf("trees %s and %s", a.Tree.Short(), b.Tree.Short())
		x, _ := os.ReadFile(filepath.Join(first.Dir, a.ID, manifestName))
		y, _ := os.ReadFile(filepath.Join(second.Dir, b.ID, manifestName))
		t.Logf("\n%s\n%s", x, y)
	}
	if want := []Package{{"alpha-pkg", "1.0.0"}, {"beta", "2.0"}}; !reflect.DeepEqual(a.Packages, want) || a.Files == 0 || a.Bytes == 0 {
		t.Errorf("%+v", a)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("building ran the code of a package")
	}
	for _, s := range []*Store{first, second} {
		if err := s.Verify(t.Context(), a); err != nil {
			t.Error(err)
		}
		noTraces(t, s.Root(a), s.Dir)
	}

	for name, want := range map[string]string{
		"bin/alpha":       "#!/env/bin/python\nimport sys\nfrom alpha import main\nif __name__ == \"__main__\":\n    sys.exit(main())\n",
		"bin/alpha-tool":  "#!/env/bin/python\nimport alpha\nprint('tool', alpha.LABEL)\n",
		"bin/alpha-shell": "#!/bin/sh\necho shell\n",
	} {
		got, err := os.ReadFile(filepath.Join(second.Root(b), name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	// Of two packages with one file, the one whose name sorts last has it.
	site := filepath.Join(first.Root(a), "lib", baseName(a.Python.Version), "site-packages")
	if got, _ := os.ReadFile(filepath.Join(site, "LICENSE.shared")); string(got) != "of beta\n" {
		t.Errorf("the clash went to %q", got)
	}

	// It runs, from byte code whose names lie below /env.
	python := filepath.Join(first.Root(a), "bin", "python")
	out, err := exec.Command(python, "-c", `import alpha, beta, sys
import marshal
code = marshal.loads(open(alpha.__cached__, 'rb').read()[16:])
print(code.co_filename, alpha.__cached__.startswith(sys.prefix), beta.VALUE, sys.prefix == `+"'"+first.Root(a)+"'"+`)
print([m for m in ("pip", "setuptools") if __import__("importlib.util").util.find_spec(m)])`).CombinedOutput()
	if want := "/env/lib/" + baseName(a.Python.Version) + "/site-packages/alpha/__init__.py True [0, 1, 2] True\n[]\n"; err != nil || string(out) != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, out, want)
	}
}

// noTraces fails if a file holds the path of the store, or is writable.
func noTraces(t *testing.T, root, store string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode()&0o222 != 0 || d.Name() == "INSTALLER" || d.Name() == "direct_url.json" {
			t.Errorf("%s %v", path, info.Mode())
		}
		if d.IsDir() {
			return nil
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(store)) || bytes.Contains(b, []byte(buildMark)) {
			t.Errorf("%s holds the path at which it was built", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A second call builds nothing, other inputs are other environments, and
// whatever changes in one is found.
func TestBuiltOnceAndVerified(t *testing.T) {
	t.Parallel()
	p := needPip(t)
	s, first, l := plain(t)
	e := new(*first)
	var said bytes.Buffer
	again, err := s.Ensure(t.Context(), l, Options{Progress: &said})
	if err != nil || said.Len() > 0 {
		t.Errorf("the second time: %v, and it said %q", err, said.String())
	}
	e.Python.platform, e.Python.pip, e.Python.markers = "", "", nil
	if !reflect.DeepEqual(e, again) {
		t.Errorf("%+v\n%+v", e, again)
	}
	bare := ensure(t, s, nil)
	if err := s.Verify(t.Context(), bare); err != nil || bare.ID == e.ID || bare.Files != 0 || bare.Tool != "" {
		t.Errorf("a bare interpreter: %+v, %v", bare, err)
	}
	if identity(&Environment{Lock: e.Lock, Builds: true, Python: *p, Platform: p.platform}) == e.ID {
		t.Error("builds allowed or not make one environment")
	}
	if len(p.Prefixes) == 0 || !filepath.IsAbs(p.Executable) {
		t.Errorf("%+v", p)
	}
	site := filepath.Join(s.Root(e), "lib", baseName(e.Python.Version), "site-packages")
	file := filepath.Join(site, "alpha.py")
	cached, _ := filepath.Glob(filepath.Join(site, "__pycache__", "*"))
	for name, tc := range map[string]struct {
		do, undo func() error
		msg      string
	}{
		"a changed byte": {func() error { return rewrite(file, "A = 2\n") }, func() error { return rewrite(file, "A = 1\n") }, "alpha.py was changed"},
		"a mode":         {func() error { return os.Chmod(file, 0o644) }, func() error { return os.Chmod(file, 0o444) }, "alpha.py was changed"},
		"byte code":      {func() error { return os.Rename(cached[0], cached[0]+"x") }, func() error { return os.Rename(cached[0]+"x", cached[0]) }, "is missing"},
		"an added file": {func() error { return rewrite(filepath.Join(site, "evil.pth"), "import os\n") },
			func() error { return os.Remove(filepath.Join(site, "evil.pth")) }, "evil.pth was added"},
		"an added link": {func() error { return os.Symlink("/etc", filepath.Join(site, "etc")) },
			func() error { return os.Remove(filepath.Join(site, "etc")) }, "site-packages/etc"},
		"the interpreter's link": {func() error { return relink(filepath.Join(s.Root(e), "bin/python"), "/bin/sh") },
			func() error { return relink(filepath.Join(s.Root(e), "bin/python"), e.Python.Executable) }, "bin/python was changed"},
		"pyvenv.cfg": {func() error { return rewrite(filepath.Join(s.Root(e), seatConfig), "home = /tmp\n") },
			func() error { return rewrite(filepath.Join(s.Root(e), seatConfig), seatText(e.Python)) }, "pyvenv.cfg was changed"},
		"the manifest": {func() error { return rewrite(filepath.Join(s.Dir, e.ID, manifestName), manifestHead) }, func() error { return nil }, "manifest is not the recorded one"},
	} {
		if name == "the manifest" {
			continue // last, since it cannot be undone
		}
		spoil(t, s, e, name, tc.do, tc.msg)
		if err := errors.Join(tc.undo(), protect(s.Root(e))); err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(t.Context(), e); err != nil {
			t.Fatalf("%s was undone: %v", name, err)
		}
	}
	other := *e
	other.Python.Digest = sallyport.Sum(nil)
	if err := s.Verify(t.Context(), &other); !sallyport.Is(err, sallyport.Refused) {
		t.Errorf("another interpreter: %v", err)
	}
	spoil(t, s, e, "the manifest", func() error { return rewrite(filepath.Join(s.Dir, e.ID, manifestName), manifestHead) }, "manifest is not the recorded one")
	spoil(t, s, e, "the description", func() error { return rewrite(filepath.Join(s.Dir, e.ID, recordName), "{}") }, "")
	if _, err := s.Ensure(t.Context(), l, Options{}); !sallyport.Is(err, sallyport.Corrupt) {
		t.Errorf("a damaged description: %v", err)
	}
	if err := s.Verify(t.Context(), &Environment{ID: strings.Repeat("0", 64)}); !sallyport.Is(err, sallyport.NotFound) {
		t.Errorf("none: %v", err)
	}
}

// spoil makes the tree writable, damages it, and expects Verify to say so.
func spoil(t *testing.T, s *Store, e *Environment, name string, do func() error, msg string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(s.Dir, e.ID), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o755)
		}
		return err
	})
	if err = errors.Join(err, do()); err != nil {
		t.Fatal(err)
	}
	got, ok := errors.AsType[*sallyport.Error](s.Verify(t.Context(), e))
	if !ok || got.Kind != sallyport.Corrupt || !strings.Contains(got.Error(), msg) || got.Mend == "" {
		t.Errorf("%s: %v", name, got)
	}
}

// rewrite replaces a file and keeps the new one read-only.
func rewrite(path, content string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o444)
}

func relink(path, target string) error { return errors.Join(os.Remove(path), os.Symlink(target, path)) }

// A builder that is killed at any point leaves nothing that counts as built and
// nothing that stays; the next one builds the same tree.
func TestKilledBuilder(t *testing.T) {
	t.Parallel()
	needPip(t)
	w := newWheelhouse()
	w.add(t, "alpha", "1.0", map[string]string{"alpha.py": "A = 1\n"})
	_, undisturbed, _ := plain(t)
	lock := filepath.Join(t.TempDir(), "requirements.lock")
	if err := os.WriteFile(lock, []byte(w.lock.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	whole := sallyport.Digest("")
	// Killed as it begins, while it installs, and when it has said that all is done.
	for _, lines := range []int{1, 2, 4} {
		builder := exec.Command(os.Args[0], "-test.run=^TestBuilder$")
		builder.Env = append(os.Environ(), "ENV_TEST_STORE="+s.Dir, "ENV_TEST_LOCK="+lock)
		out, err := builder.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := builder.Start(); err != nil {
			t.Fatal(err)
		}
		readLines(out, lines)
		_ = builder.Process.Kill()
		_ = builder.Wait()
		entries, _ := os.ReadDir(s.Dir)
		for _, e := range entries {
			if len(e.Name()) == 64 {
				found, err := s.load(e.Name())
				if err != nil || s.Verify(t.Context(), found) != nil {
					t.Fatalf("after %d lines, what counts as built is not whole: %v", lines, err)
				}
				whole = found.Tree
			}
		}
	}
	if whole == "" {
		t.Error("the builder that said it was done left nothing")
	}
	if undisturbed.Tree != whole {
		t.Error("after kills, another tree was built")
	}
	s.sweep("")
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "*"+buildMark+"*")); len(left) > 0 {
		t.Errorf("leftovers: %v", left)
	}
}

func readLines(r io.Reader, n int) {
	b := make([]byte, 1)
	for n > 0 {
		if k, err := r.Read(b); err != nil {
			return
		} else if k == 1 && b[0] == '\n' {
			n--
		}
	}
}

// TestBuilder is the process that TestKilledBuilder kills.
func TestBuilder(t *testing.T) {
	dir := os.Getenv("ENV_TEST_STORE")
	if dir == "" {
		return // only a part of TestKilledBuilder
	}
	b, err := os.ReadFile(os.Getenv("ENV_TEST_LOCK"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ReadLock("requirements.lock", b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&Store{Dir: dir}).Ensure(t.Context(), l, Options{Progress: os.Stdout}); err != nil {
		t.Fatal(err)
	}
}

// Of builders at once, one builds and the others wait, say so, and get the same.
func TestBuildersAtOnce(t *testing.T) {
	t.Parallel()
	needPip(t)
	plain(t)
	builders, waited := 0, 0
	for i, e := range built.got {
		if e == nil || e.Tree != built.env.Tree {
			t.Fatal("different environments")
		}
		builders += strings.Count(built.said[i].String(), "installing")
		waited += strings.Count(built.said[i].String(), "waiting")
	}
	if builders != 1 || waited != len(built.got)-1 {
		t.Errorf("%d built and %d waited", builders, waited)
	}
}

func TestFailures(t *testing.T) {
	p := needPip(t)
	w := newWheelhouse()
	w.add(t, "gamma", "1.0", map[string]string{"gamma.py": "A = 1\n"})
	w.add(t, "delta", "1.0", nil)
	if err := os.Rename(filepath.Join(house, "delta-1.0-py3-none-any.whl"), filepath.Join(house, "delta-1.0-cp27-cp27m-win32.whl")); err != nil {
		t.Fatal(err)
	}
	delta := w.pinned(t).Packages[1].Wheels[0]
	for name, tc := range map[string]struct {
		lock string
		kind sallyport.Kind
		msg  string
	}{
		"bytes that were changed":  {"gamma==1.0 --hash=" + h1, sallyport.Refused, "gamma 1.0"},
		"no such version":          {"gamma==1.1 --hash=" + h1, sallyport.NotFound, "no wheel of gamma 1.1 with the hashes of the lock for Python " + p.Version},
		"no wheel for this Python": {"delta==1.0 --hash=" + delta, sallyport.NotFound, "no wheel of delta 1.0"},
		"an index out of reach":    {"alpha==1.1 --hash=" + h1, sallyport.Unknown, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.kind == sallyport.Unknown {
				t.Setenv("PIP_NO_INDEX", "0")
				t.Setenv("PIP_RETRIES", "0")
				t.Setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
			} else {
				t.Parallel()
			}
			s := newStore(t)
			_, err := s.Ensure(t.Context(), readLock(t, "requirements.lock", tc.lock), Options{})
			e, ok := errors.AsType[*sallyport.Error](err)
			if !ok || e.Kind != tc.kind || !strings.Contains(e.Msg, tc.msg) || e.Mend == "" || strings.Contains(e.Msg+e.Mend, "secret") {
				t.Errorf("got %v (kind %v)", err, sallyport.KindOf(err))
			}
			if left, _ := filepath.Glob(filepath.Join(s.Dir, "*"+buildMark+"*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	needPip(t)
	w := newWheelhouse()
	w.add(t, "alpha", "1.0", map[string]string{"alpha.py": "A = 1\n"})
	s := newStore(t)
	for _, at := range []string{"installing", "compiling"} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := s.Ensure(ctx, w.pinned(t), Options{Progress: cancelAt{at, cancel}})
		if !sallyport.Is(err, sallyport.Interrupted) {
			t.Errorf("at %s: %v", at, err)
		}
		if left, _ := filepath.Glob(filepath.Join(s.Dir, "*"+buildMark+"*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

type cancelAt struct {
	word   string
	cancel func()
}

func (c cancelAt) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.word) {
		c.cancel()
	}
	return len(p), nil
}

// A waiting builder can be interrupted too.
func TestInterruptedWaiting(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	unlock, err := s.lock(t.Context(), "x", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := s.lock(ctx, "x", cancelAt{"waiting", cancel}); !sallyport.Is(err, sallyport.Interrupted) {
		t.Errorf("%v", err)
	}
}

func TestDiscover(t *testing.T) {
	p := needPip(t)
	// A virtual environment leads to the interpreter behind it.
	venv := filepath.Join(t.TempDir(), "venv")
	if out, err := exec.Command(p.Executable, "-m", "venv", "--without-pip", venv).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no venv module here: %s", out)
	}
	t.Setenv("SALLYPORT_PYTHON", filepath.Join(venv, "bin", "python"))
	got, err := Discover(t.Context())
	if err != nil || got.Executable != p.Executable || got.Digest != p.Digest {
		t.Errorf("%+v, %v", got, err)
	}
	for name, tc := range map[string]struct {
		script string
		kind   sallyport.Kind
	}{
		"missing": {"", sallyport.NotFound},
		"broken":  {"#!/bin/sh\nexit 3\n", sallyport.Invalid},
		"no JSON": {"#!/bin/sh\necho hello\n", sallyport.Invalid},
		"too old": {"#!/bin/sh\necho '{\"version\": \"3.8.18\", \"executable\": \"/bin/sh\"}'\n", sallyport.Invalid},
	} {
		path := filepath.Join(t.TempDir(), "python")
		if tc.script != "" {
			if err := os.WriteFile(path, []byte(tc.script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("SALLYPORT_PYTHON", path)
		_, err := Discover(t.Context())
		e, ok := errors.AsType[*sallyport.Error](err)
		if !ok || e.Kind != tc.kind || e.Mend == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The file in environment.json is read back whole and strictly.
func TestLoadIsStrict(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	id := strings.Repeat("a", 64)
	if e, err := s.load(id); e != nil || err != nil {
		t.Errorf("none: %v %v", e, err)
	}
	if err := os.MkdirAll(filepath.Join(s.Dir, id), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{}", `{"id": "` + id + `"}`, `{"id": "` + id + `", "more": 1}`} {
		if err := os.WriteFile(filepath.Join(s.Dir, id, recordName), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.load(id); !sallyport.Is(err, sallyport.Corrupt) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
