package env

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport"
)

// realLock pins small packages of PyPI: a module, a package with data, one with
// a program in bin.
const realLock = `six==1.16.0 --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254
idna==3.7 --hash=sha256:82fee1fc78add43492d3a1898bfa6d8a904cc97d8427f683ed8e798d07761aa0
charset-normalizer==3.4.0 --hash=sha256:fe9f97feb71aa9896b81973a7bbada8c49501dc73e58a10fcef6663af95e5079
`

// index asks once whether the package index of this machine answers.
var index = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "index-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("python3", "-m", "pip", "download", "-q", "--no-deps", "--retries", "0", "-d", dir, "six==1.16.0")
	cmd.Env = machine
	return cmd.CombinedOutput()
})

// needIndex gives pip the settings of this machine back, and skips a test when
// the package index is out of reach.
func needIndex(t *testing.T) *Python {
	t.Helper()
	p := needPip(t)
	for _, name := range []string{"PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_INDEX_URL"} {
		t.Setenv(name, "") // which is put back at the end of the test
		os.Unsetenv(name)
	}
	for _, kv := range machine {
		if name, value, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "PIP_") {
			os.Setenv(name, value)
		}
	}
	if out, err := index(); err != nil {
		t.Skipf("SKIPPED: the package index is out of reach, so nothing was installed from it: %s", out)
	}
	return p
}

// uvOnPath puts uv on PATH: that of the machine, or one from the package index,
// kept in the user's cache between test runs.
func uvOnPath(t *testing.T, p *Python) {
	t.Helper()
	for _, kv := range machine {
		if name, value, _ := strings.Cut(kv, "="); name == "PATH" {
			t.Setenv("PATH", value)
		}
	}
	if _, err := exec.LookPath("uv"); err == nil {
		return
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	dir := filepath.Join(cache, "sallyport-test", "uv-0.13.9-"+runtime.GOARCH)
	bin := filepath.Join(dir, "bin")
	if _, err := os.Stat(filepath.Join(bin, "uv")); err != nil {
		cmd := exec.Command(p.Executable, "-m", "pip", "install", "-q", "--only-binary", ":all:", "--target", dir, "uv==0.13.9")
		cmd.Env = machine
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: uv cannot be had from the package index, so it was not driven: %s", out)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func readLock(t *testing.T, name, text string) *Lock {
	t.Helper()
	l, err := ReadLock(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Real packages, by pip and by uv, in two places: one tree, which runs.
func TestPipAndUVAgree(t *testing.T) {
	p := needIndex(t)
	first, second := newStore(t), newStore(t)
	byPip := ensure(t, first, readLock(t, "requirements.lock", realLock))
	uvOnPath(t, p)
	byUV := ensure(t, second, readLock(t, "requirements.lock", realLock))
	if !strings.HasPrefix(byPip.Tool, "pip ") || !strings.HasPrefix(byUV.Tool, "uv ") {
		t.Errorf("tools %q and %q", byPip.Tool, byUV.Tool)
	}
	if byPip.Tree != byUV.Tree {
		a, _ := os.ReadFile(filepath.Join(first.Dir, byPip.ID, manifestName))
		b, _ := os.ReadFile(filepath.Join(second.Dir, byUV.ID, manifestName))
		t.Errorf("pip and uv make different trees:\n%s\n%s", a, b)
	}
	for s, e := range map[*Store]*Environment{first: byPip, second: byUV} {
		noTraces(t, s.Root(e), s.Dir)
		if err := s.Verify(t.Context(), e); err != nil {
			t.Error(err)
		}
		out, err := exec.Command(filepath.Join(s.Root(e), "bin", "python"), "-c",
			"import six, idna, charset_normalizer; print(idna.encode('ü').decode(), six.__version__, charset_normalizer.__version__)").CombinedOutput()
		if err != nil || string(out) != "xn--tda 1.16.0 3.4.0\n" {
			t.Errorf("%v: %s", err, out)
		}
	}

	// What uv says when it fails is understood too.
	for lock, kind := range map[string]sallyport.Kind{
		"six==1.16.0 --hash=" + h1:  sallyport.Refused,
		"six==99.16.0 --hash=" + h1: sallyport.NotFound,
	} {
		_, err := second.Ensure(t.Context(), readLock(t, "requirements.lock", lock), Options{})
		if !sallyport.Is(err, kind) || !strings.Contains(err.Error(), "six") {
			t.Errorf("%s: %v", lock, err)
		}
	}
	t.Setenv("UV_DEFAULT_INDEX", "http://user:secret@127.0.0.1:9/simple")
	t.Setenv("UV_HTTP_RETRIES", "0")
	_, err := second.Ensure(t.Context(), readLock(t, "requirements.lock", "six==1.15.0 --hash="+h1), Options{})
	if !sallyport.Is(err, sallyport.Unknown) || !strings.Contains(err.Error(), "cannot be reached") || strings.Contains(err.Error(), "secret") {
		t.Errorf("an index out of reach: %v", err)
	}
}

// uv.lock and pylock.toml lead to the environment that the same pins in a
// requirements file lead to. uv itself writes both.
func TestLocksOfUV(t *testing.T) {
	p := needIndex(t)
	uvOnPath(t, p)
	dir := t.TempDir()
	project := "[project]\nname = \"x\"\nversion = \"1\"\nrequires-python = \">=3.9\"\ndependencies = [\"six==1.16.0\", \"idna==3.7; python_version >= '3'\", \"colorama; sys_platform == 'win32'\"]\n" +
		"[dependency-groups]\ndev = [\"iniconfig\"]\n"
	if err := os.WriteFile(filepath.Join(dir, "pyproject.toml"), []byte(project), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"lock"}, {"export", "--frozen", "--no-dev", "-o", "pylock.toml"}, {"export", "--frozen", "--no-dev", "--no-emit-project", "-o", "requirements.lock"}} {
		cmd := exec.Command("uv", append(args, "-q", "--no-config", "--python", p.Executable)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: uv cannot lock here, so its locks were not read: uv %v: %s", args, out)
		}
	}
	var want string
	for _, name := range []string{"requirements.lock", "uv.lock", "pylock.toml"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		l := readLock(t, name, string(b))
		if got := chosen(t, l); got != "idna=3.7 six=1.16.0" {
			t.Errorf("%s: %s", name, got)
		}
		e := ensure(t, newStore(t), l)
		if want == "" {
			want = string(e.Tree)
		}
		if string(e.Tree) != want {
			t.Errorf("%s leads to another tree", name)
		}
	}
}

// With builds allowed a source distribution is built, and without it is not.
func TestBuilds(t *testing.T) {
	needIndex(t)
	const sdist = "six==1.16.0 --hash=sha256:1e61c37477a1626458e36f7b1d82aa5c9b094fa4802892072e49de9c60c4c926\n"
	s := newStore(t)
	if _, err := s.Ensure(t.Context(), readLock(t, "requirements.lock", sdist), Options{}); err == nil {
		t.Error("a source distribution was built without leave")
	}
	e, err := s.Ensure(t.Context(), readLock(t, "requirements.lock", sdist), Options{Builds: true})
	if err != nil {
		t.Fatal(err)
	}
	noTraces(t, s.Root(e), s.Dir)
}
