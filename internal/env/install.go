package env

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
)

// install puts the pinned packages into the tree: with uv where it is on PATH,
// and with pip otherwise. Either checks every archive against the hashes.
func (b *build) install(ctx context.Context) error {
	if len(b.pins) == 0 {
		return nil
	}
	t, err := b.findTool(ctx)
	if err != nil {
		return err
	}
	b.env.Tool = t.name
	fmt.Fprintf(b.opt.Progress, "installing %d packages with %s\n", len(b.pins), t.name)
	if err := b.installPins(ctx, t, b.pins, b.tree()); err != nil {
		return err
	}
	return b.settleClashes(ctx, t)
}

// A tool is an installer: how to call it, and the environment it runs in.
type tool struct {
	name string                     // with its version
	into func(tree string) []string // the command, up to the requirements file
	env  []string
	// Where they are set, packages are fetched into a folder first, looked at, and
	// installed from there with the arguments local.
	fetch func(tree, folder string) []string
	local func(folder string) []string
}

func (b *build) findTool(ctx context.Context) (*tool, error) {
	version, settings, err := b.settings(ctx)
	if err != nil {
		return nil, err
	}
	if uv, err := exec.LookPath("uv"); err == nil {
		return b.uv(ctx, uv, settings)
	}
	if b.env.Python.pip != "" {
		return b.pip(version, settings), nil
	}
	return nil, sallyport.Errorf(sallyport.NotFound, "neither uv nor pip is installed for this Python").At("%s", b.env.Python.Executable).
		Try("install uv, or pip (on Debian and Ubuntu: apt-get install python3-venv python3-pip)")
}

// passed are the variables that an installer gets to see: where it keeps its
// cache, how to get out of the building, and nothing else.
var passed = []string{"PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "UV_CACHE_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
	"http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "NETRC"}

func baseEnvironment() []string {
	env := []string{"LC_ALL=C.UTF-8", "PYTHONNOUSERSITE=1", "PYTHONDONTWRITEBYTECODE=1"}
	for _, name := range passed {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

//go:embed settings.py
var settingsScript string

// settings returns pip's version, and what its configuration files and variables
// say about where packages come from, without the rest of them.
func (b *build) settings(ctx context.Context) (version string, settings map[string]string, err error) {
	if b.env.Python.pip == "" {
		return "", nil, nil
	}
	cmd := command(ctx, b.env.Python.Executable, "-I", "-c", settingsScript, b.env.Python.pip)
	cmd.Env, cmd.Dir = os.Environ(), b.dir
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", nil, interrupted()
	}
	var said struct {
		Version  string            `json:"version"`
		Settings map[string]string `json:"settings"`
	}
	if err == nil {
		err = json.Unmarshal(out, &said)
	}
	if err != nil {
		return "", nil, sallyport.Errorf(sallyport.Invalid, "pip's configuration cannot be read: %w", err).Try("look at what pip config list says")
	}
	return said.Version, said.Settings, nil
}

// pip calls the pip of the interpreter, but with the tree's own python, so that
// it installs there and leaves itself out. The tree has to be fresh: what .pth
// files lie in it would run when its python starts.
func (b *build) pip(version string, settings map[string]string) *tool {
	t := &tool{name: "pip " + version, env: append(baseEnvironment(), "PIP_CONFIG_FILE="+os.DevNull)}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		t.env = append(t.env, "PIP_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+settings[name])
	}
	args := []string{"--require-hashes", "--no-deps", "--no-compile", "--ignore-installed", "--no-input", "--no-color",
		"--progress-bar", "off", "--disable-pip-version-check", "--no-warn-script-location"}
	// Without a retry pip keeps to itself that it could not reach the index.
	var retries []string
	if settings["retries"] == "" || settings["retries"] == "0" {
		retries = []string{"--retries", "2"}
	}
	if b.opt.Builds {
		// Older versions would otherwise look for setuptools in the tree itself.
		args = append(args, "--use-pep517")
	}
	// An index that the lock names is asked only where packages are fetched.
	fetch := slices.Concat([]string{"--require-hashes", "--no-deps", "--no-input", "--no-color", "--progress-bar", "off", "--disable-pip-version-check"}, retries, b.common())
	run := func(tree, command string, args []string) []string {
		return append([]string{filepath.Join(tree, "bin", "python"), "-I", b.env.Python.pip, command}, args...)
	}
	if b.opt.Builds {
		t.into = func(tree string) []string { return run(tree, "install", slices.Concat(args, retries, b.common())) }
		return t
	}
	t.fetch = func(tree, folder string) []string { return run(tree, "download", append(fetch, "--dest", folder)) }
	t.local = func(folder string) []string {
		return []string{"--no-index", "--find-links", folder, "--only-binary", ":all:"}
	}
	t.into = func(tree string) []string { return run(tree, "install", args) }
	return t
}

// common are the arguments that pip and uv share.
func (b *build) common() []string {
	if b.opt.Builds {
		return b.lock.indexes
	}
	return append([]string{"--only-binary", ":all:"}, b.lock.indexes...)
}

// uvSettings are uv's names for pip's settings.
var uvSettings = map[string]string{"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS",
	"trusted-host": "UV_INSECURE_HOST", "cert": "SSL_CERT_FILE", "timeout": "UV_HTTP_TIMEOUT", "default-timeout": "UV_HTTP_TIMEOUT"}

func (b *build) uv(ctx context.Context, path string, settings map[string]string) (*tool, error) {
	t := &tool{env: append(baseEnvironment(), "UV_NO_CONFIG=1", "UV_PYTHON_DOWNLOADS=never", "UV_NO_PROGRESS=1")}
	own := map[string]bool{}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.Contains(name, "INDEX") && strings.HasPrefix(name, "UV_") || name == "UV_FIND_LINKS" || name == "UV_INSECURE_HOST" ||
			name == "UV_HTTP_TIMEOUT" || name == "UV_HTTP_RETRIES" || name == "UV_NATIVE_TLS" || name == "UV_SYSTEM_CERTS" || name == "UV_KEYRING_PROVIDER" || name == "UV_OFFLINE" {
			own[name] = true
			t.env = append(t.env, kv)
		}
	}
	_, certs := os.LookupEnv("SSL_CERT_FILE")
	own["SSL_CERT_FILE"] = certs
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		to, value := uvSettings[name], settings[name]
		if to == "" || own[to] || to == "UV_DEFAULT_INDEX" && own["UV_INDEX_URL"] || to == "UV_INDEX" && own["UV_EXTRA_INDEX_URL"] {
			continue
		}
		if to == "UV_FIND_LINKS" {
			value = strings.ReplaceAll(value, " ", ",")
		}
		t.env = append(t.env, to+"="+value)
	}
	cmd := command(ctx, path, "--version")
	cmd.Env, cmd.Dir = t.env, b.dir
	out, err := cmd.Output()
	said := strings.Fields(string(out)) // "uv 0.9.1 (…)"
	switch {
	case ctx.Err() != nil:
		return nil, interrupted()
	case err != nil || len(said) < 2:
		return nil, sallyport.Errorf(sallyport.Invalid, "uv does not run: %w", err).At("%s", path).Try("mend it, or take it off PATH to use pip")
	}
	t.name = "uv " + printable(said[1])
	// Copies, not links: a linked file would share its bytes and its mode with
	// uv's cache.
	args := append([]string{"--require-hashes", "--no-deps", "--link-mode", "copy", "--color", "never"}, b.common()...)
	// uv has no variable for this one.
	if v := settings["no-index"]; v != "" && v != "0" && !strings.EqualFold(v, "false") {
		args = append(args, "--no-index")
	}
	t.into = func(tree string) []string {
		return append([]string{path, "pip", "install", "--python", filepath.Join(tree, "bin", "python")}, args...)
	}
	return t, nil
}

// requirement writes a pin in the form that pip and uv read.
func (b *build) requirement(p Pin) string {
	s := p.Name + "==" + p.Version
	if p.URL != "" {
		s = p.Name + " @ " + p.URL
	}
	hashes := slices.Clone(p.Wheels)
	if b.opt.Builds {
		hashes = append(hashes, p.Sources...)
	}
	for _, h := range hashes {
		s += " --hash=" + h
	}
	return s + "\n"
}

// installPins installs packages into a fresh tree.
func (b *build) installPins(ctx context.Context, t *tool, pins []Pin, tree string) error {
	var text strings.Builder
	for _, p := range pins {
		if len(p.Wheels) == 0 && !b.opt.Builds {
			return b.noWheel(p.Name, p.Version)
		}
		text.WriteString(b.requirement(p))
	}
	file := filepath.Join(b.dir, "requirements.txt")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return fault("cannot write the list of packages", err)
	}
	defer os.Remove(file)
	args := t.into(tree)
	if t.fetch != nil {
		folder := filepath.Join(b.dir, "wheels")
		if err := b.call(ctx, t, append(t.fetch(tree, folder), "-r", file), b.opt.Progress); err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		if err := b.checkWheels(folder); err != nil {
			return err
		}
		// What comes from the folder has been told of already.
		return b.call(ctx, t, slices.Concat(args, t.local(folder), []string{"-r", file}), io.Discard)
	}
	return b.call(ctx, t, append(args, "-r", file), b.opt.Progress)
}

func (b *build) call(ctx context.Context, t *tool, args []string, progress io.Writer) error {
	cmd := command(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Dir = t.env, b.dir
	out, err := watch(cmd, progress)
	if ctx.Err() != nil {
		return interrupted()
	}
	if err != nil {
		return b.failure("installing", out, err)
	}
	return nil
}

// watch runs an installer, tells the progress what it fetches, and returns the
// end of what it said.
func watch(cmd *exec.Cmd, progress io.Writer) (string, error) {
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	said := &tail{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewReader(io.TeeReader(r, said))
		for {
			line, err := lines.ReadSlice('\n')
			if what := fetching(string(line)); what != "" {
				fmt.Fprintln(progress, "fetching "+what)
			}
			if err != nil && err != bufio.ErrBufferFull {
				return
			}
		}
	}()
	err := cmd.Run()
	w.Close()
	<-done
	return said.String(), err
}

// fetching returns what a line of pip or uv says is being fetched: "Collecting
// numpy==2.3.5 (from …)" or "Downloading numpy (16.1MiB)".
func fetching(line string) string {
	fields := strings.Fields(line)
	switch {
	case len(fields) < 2 || strings.Contains(fields[1], "/"):
		return ""
	case fields[0] == "Collecting":
		return printable(strings.Replace(fields[1], "==", " ", 1))
	case fields[0] == "Downloading" && len(fields) == 3 && !archive.MatchString(fields[1]):
		return printable(fields[1] + " " + fields[2])
	}
	return ""
}

// A tail keeps the last bytes that were written to it.
type tail struct {
	b []byte
}

const tailSize = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 2*tailSize {
		t.b = slices.Clone(t.b[len(t.b)-tailSize:])
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.b) }
