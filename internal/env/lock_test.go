package env

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/pep508"
)

const (
	h1 = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	h2 = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// linux are the marker values of a CPython 3.11 on Linux.
var linux = map[string]string{"os_name": "posix", "sys_platform": "linux", "platform_machine": "x86_64", "platform_python_implementation": "CPython",
	"platform_release": "6.1", "platform_system": "Linux", "platform_version": "#1", "python_version": "3.11", "python_full_version": "3.11.7",
	"implementation_name": "cpython", "implementation_version": "3.11.7"}

func chosen(t *testing.T, l *Lock) string {
	t.Helper()
	pins, err := l.choose(linux)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range pins {
		out = append(out, p.Name+"="+p.Version+p.URL)
	}
	return strings.Join(out, " ")
}

func TestReadRequirements(t *testing.T) {
	l, err := ReadLock("a/requirements.lock", []byte(`# made by a tool
--index-url https://example.org/simple
--only-binary :all:
Six[extra,other]==1.16.0 \
    --hash=`+h1+` \
    --hash `+h2+`   # from -r x
    # a comment in between
numpy == 2.0.0 ; python_version >= "3.9" and sys_platform == "linux" --hash=`+h1+`
winonly==1 ; sys_platform == 'win32' \
  --hash=`+h1+"\r"+`
tool @ https://example.org/tool-1.0-py3-none-any.whl#sha256=`+h1[7:]+` ; python_version < "4"
Torch_Thing==2.1.0+cu118 --hash=sha512:`+strings.Repeat("a", 128)+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := chosen(t, l), "numpy=2.0.0 six=1.16.0 tool=https://example.org/tool-1.0-py3-none-any.whl torch-thing=2.1.0+cu118"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(l.Packages) != 5 || !reflect.DeepEqual(l.Packages[0].Wheels, []string{h1, h2}) || !reflect.DeepEqual(l.indexes, []string{"--index-url=https://example.org/simple"}) {
		t.Errorf("%+v", l)
	}
	if l, err := ReadLock("requirements.txt", nil); err != nil || chosen(t, l) != "" {
		t.Errorf("an empty lock: %v", err)
	}
}

func TestRequirementsMistakes(t *testing.T) {
	for line, want := range map[string]string{
		"numpy":                                     "numpy is not pinned",
		"numpy>=1.0 --hash=" + h1:                   "numpy is not pinned",
		"numpy==1.* --hash=" + h1:                   "numpy is not pinned",
		"numpy===1.0 --hash=" + h1:                  "numpy is not pinned",
		"numpy==1.0,<2 --hash=" + h1:                "numpy is not pinned",
		"numpy==1.0":                                "numpy has no hash",
		"numpy==1.0 --hash=md5:" + h1:               "not a SHA-256",
		"numpy==1.0 --hash=sha256:12":               "not a SHA-256",
		"numpy==1.0 --config-settings=":             "option other than --hash",
		"-r other.txt":                              "another file",
		"-c constraints.txt":                        "another file",
		"--constraint=x":                            "another file",
		"-e .":                                      "editable",
		"./wheel.whl":                               "path or URL",
		"https://example.org/a.whl":                 "path or URL",
		"a @ http://example.org/a.whl --hash=" + h1: "not the https URL",
		"a @ https://u:p@example.org/a.whl":         "not the https URL",
		"a @ https://example.org/a.whl --hash=" + h1 + " --hash=" + h2: "hashes of several files",
		"a @ git+https://example.org/a --hash=" + h1:                   "not the https URL",
		"git+https://example.org/a":                                    "checkout",
		"a @ https://example.org/a.whl#egg=a":                          "fragment",
		"--trusted-host example.org":                                   "an option",
		"--find-links /tmp":                                            "an option",
		"--no-binary :all:":                                            "an option",
		"--index-url http://example.org/":                              "https URL of an index",
		"--index-url https://u:p@example.org/":                         "https URL of an index",
		"numpy==1.0 ; python_version >> '3' --hash=" + h1:              "marker",
		"numpy==1.0 ; os.system('x') == 'y' --hash=" + h1:              "marker",
		"numpy==1.0 ; python_version >= 'three' --hash=" + h1:          "marker",
		"numpy==${VERSION} --hash=" + h1:                               "variable",
		"==1.0":                                                        "not a requirement",
		"\x1b[2J":                                                      "not a requirement",
		`numpy==1.0 --hash=` + h1 + ` \`:                               "not finished",
	} {
		_, err := ReadLock("requirements.txt", []byte("# first\n"+line))
		e, ok := errors.AsType[*sallyport.Error](err)
		if !ok || e.Kind != sallyport.Invalid || e.Place != "requirements.txt:2" || !strings.Contains(e.Msg, want) || e.Mend == "" {
			t.Errorf("%q: %v, want %q at line 2, with a mend", line, err, want)
		}
	}
	l, err := ReadLock("requirements.txt", []byte("a==1 --hash="+h1+"\nA==2 --hash="+h1+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.choose(linux); err == nil || !strings.Contains(err.Error(), "pinned twice") {
		t.Errorf("twice: %v", err)
	}
	for name, b := range map[string]string{"not UTF-8": "\xff", "NUL": "\x00"} {
		if _, err := ReadLock("x.txt", []byte(b)); !sallyport.Is(err, sallyport.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadLock("x.txt", make([]byte, maxLock+1)); !sallyport.Is(err, sallyport.Limit) {
		t.Errorf("huge: %v", err)
	}
}

const uvText = `version = 1
revision = 3
requires-python = ">=3.10"
resolution-markers = ["python_full_version >= '3.12'", "python_full_version < '3.12'"]

[[package]]
name = "proj"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "numpy", version = "1.26.4", source = { registry = "https://example.org/simple" }, marker = "python_full_version < '3.12'" },
    { name = "numpy", version = "2.1.0", source = { registry = "https://example.org/simple" }, marker = "python_full_version >= '3.12'" },
    { name = "colorama", marker = "sys_platform == 'win32'" },
    { name = "uvicorn", extra = ["standard"] },
]

[package.dev-dependencies]
dev = [{ name = "pytest" }]

[package.metadata]
requires-dist = [{ name = "numpy" }]

[[package]]
name = "numpy"
version = "1.26.4"
source = { registry = "https://example.org/simple" }
sdist = { url = "https://files/n.tar.gz", hash = "` + h2 + `", size = 1 }
wheels = [
    { url = "https://files/n.whl", hash = "` + h1 + `", size = 1, upload-time = "2024-02-05T23:48:50Z" },
]

[[package]]
name = "numpy"
version = "2.1.0"
source = { registry = "https://example.org/simple" }
wheels = [{ url = "https://files/n.whl", hash = "` + h1 + `" }]

[[package]]
name = "colorama"
version = "0.4"
source = { registry = "https://example.org/simple" }
wheels = [{ url = "https://files/n.whl", hash = "` + h1 + `" }]

[[package]]
name = "uvicorn"
version = "0.30"
source = { registry = "https://example.org/simple" }
dependencies = [{ name = "h11" }]
wheels = [{ url = "https://files/n.whl", hash = "` + h1 + `" }]

[package.optional-dependencies]
standard = [{ name = "httptools" }, { name = "uvicorn" }]

[[package]]
name = "h11"
version = "0.14.0"
source = { registry = "https://example.org/simple" }
wheels = [{ url = "https://files/n.whl", hash = "` + h1 + `" }]

[[package]]
name = "httptools"
version = "0.6"
source = { url = "https://example.org/httptools-0.6-py3-none-any.whl" }
wheels = [{ url = "https://example.org/httptools-0.6-py3-none-any.whl", hash = "` + h1 + `" }]

[[package]]
name = "pytest"
version = "8.0"
source = { registry = "https://example.org/simple" }
wheels = [{ url = "https://files/n.whl", hash = "` + h1 + `" }]
`

func TestReadUV(t *testing.T) {
	l, err := ReadLock("uv.lock", []byte(uvText))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := chosen(t, l), "h11=0.14.0 httptools=0.6https://example.org/httptools-0.6-py3-none-any.whl numpy=1.26.4 uvicorn=0.30"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if p := l.Packages[0]; !reflect.DeepEqual(p.Wheels, []string{h1}) || !reflect.DeepEqual(p.Sources, []string{h2}) {
		t.Errorf("%+v", p)
	}
}

const pylockText = `lock-version = '1.0'
requires-python = '>=3.9'
environments = ["sys_platform == 'linux'"]
default-groups = []
created-by = 'mousebender'

[[packages]]
name = 'attrs'
version = '25.1.0'
requires-python = '>=3.8'
wheels = [{name = 'attrs-25.1.0-py3-none-any.whl', upload-time = 2025-01-25T11:30:10.164985+00:00, url = 'https://files/a.whl', size = 63152, hashes = {sha256 = '` + "1111111111111111111111111111111111111111111111111111111111111111" + `'}}]
[[packages.attestation-identities]]
environment = 'release-pypi'

[[packages]]
name = 'test-only'
version = '1'
marker = "'test' in dependency_groups or 'x' in extras"
[packages.sdist]
url = 'https://files/t.tar.gz'
hashes.sha256 = '` + "2222222222222222222222222222222222222222222222222222222222222222" + `'
`

func TestReadPylock(t *testing.T) {
	l, err := ReadLock("pylock.train.toml", []byte(pylockText))
	if err != nil {
		t.Fatal(err)
	}
	if got := chosen(t, l); got != "attrs=25.1.0" {
		t.Errorf("got %s", got)
	}
	if p := l.Packages[1]; !reflect.DeepEqual(p.Sources, []string{h2}) {
		t.Errorf("%+v", p)
	}
}

func TestTOMLLockMistakes(t *testing.T) {
	for _, tc := range []struct{ file, old, new, want string }{
		{"uv.lock", "version = 1\n", "version = 9\n", "another version"},
		{"uv.lock", `hash = "` + h1, `hash = "md5:` + h1, "uvicorn"},
		{"uv.lock", `>=3.10`, `>=3.14`, "Python >=3.14"},
		{"uv.lock", `source = { virtual = "." }`, `source = { registry = "x" }`, ""},
		{"uv.lock", `{ name = "h11" }`, `{ name = "h12" }`, "h12 is needed and not in the lock"},
		{"uv.lock", `{ name = "h11" }`, `{ name = "numpy" }`, "not clear which numpy"},
		{"uv.lock", `{ name = "h11" }`, `"h11"`, "cannot be read"},
		{"uv.lock", `{ name = "h11" }`, `{ name = "h11", marker = "x" }`, "marker"},
		{"uv.lock", `source = { url = "https:`, `source = { git = "https:`, "checkout"},
		{"uv.lock", `source = { url = "https:`, `source = { path = "https:`, "another machine does not have"},
		{"uv.lock", `source = { url = "https:`, `source = { url = "http:`, "https URL"},
		{"uv.lock", `version = "0.14.0"`, `version = "newest"`, "no proper version"},
		{"uv.lock", `name = "h11"` + "\n", `name = "-r h11"` + "\n", "proper name"},
		{"uv.lock", `]`, ``, "not TOML"},
		{"pylock.toml", `'1.0'`, `'2.0'`, "another version"},
		{"pylock.toml", `hashes = {sha256 = `, `hashes = {md5 = `, "strong hash"},
		{"pylock.toml", `'>=3.8'`, `'>=3.12'`, "attrs is not for Python 3.11.7"},
		{"pylock.toml", `'>=3.9'`, `'<3.9'`, "Python <3.9"},
		{"pylock.toml", `== 'linux'`, `== 'darwin'`, "not for this platform"},
		{"pylock.toml", `requires-python = '>=3.8'`, `vcs = {type = 'git'}`, "checkout"},
		{"pylock.toml", `requires-python = '>=3.8'`, `directory = {path = '.'}`, "folder"},
		{"pylock.toml", `requires-python = '>=3.8'`, `archive = {path = 'a.whl'}`, "https URL"},
		{"pylock.toml", `[packages.sdist]`, `[packages.other]`, "no hashes"},
	} {
		text := map[string]string{"uv.lock": uvText, "pylock.toml": pylockText}[tc.file]
		if !strings.Contains(text, tc.old) {
			t.Fatalf("%s holds no %q", tc.file, tc.old)
		}
		n := 1
		if strings.HasPrefix(tc.old, "hash =") {
			n = -1
		}
		l, err := ReadLock(tc.file, []byte(strings.Replace(text, tc.old, tc.new, n)))
		if err == nil {
			_, err = l.choose(linux)
		}
		e, ok := errors.AsType[*sallyport.Error](err)
		if !ok || e.Kind != sallyport.Invalid || !strings.HasPrefix(e.Place, tc.file) {
			t.Errorf("%s with %q: %v", tc.file, tc.new, err)
		} else if tc.want != "uvicorn" && !strings.Contains(e.Msg, tc.want) {
			t.Errorf("%s with %q: %v, want %q", tc.file, tc.new, err, tc.want)
		}
	}
}

// A mistake in TOML has its line: its own, or that of its package.
func TestTOMLPlaces(t *testing.T) {
	line := func(text, part string) int { return 1 + strings.Count(text[:strings.Index(text, part)], "\n") }
	within := func(begin, in, end string) string {
		return uvText + "[tool]\nx = " + strings.Repeat(begin, 33) + in + strings.Repeat(end, 33) + "\n"
	}
	last := 2 + strings.Count(uvText, "\n")
	h11 := "[[package]]\nname = \"h11\""
	for _, tc := range []struct {
		file, text string
		line       int
		want       string
	}{
		{"uv.lock", strings.Replace(uvText, `"0.14.0"`, `"newest"`, 1), line(uvText, h11), "h11"},
		{"uv.lock", strings.Replace(uvText, `"0.14.0"`, `14`, 1), line(uvText, h11), "kinds"},
		{"uv.lock", strings.Replace(uvText, `{ name = "h11" }`, `{ name = "h11", marker = "" }`, 1), line(uvText, "[[package]]\nname = \"uvicorn\""), "marker"},
		{"uv.lock", strings.Replace(uvText, `"0.14.0"`, `0.14.0`, 1), line(uvText, `"0.14.0"`), "not TOML"},
		{"uv.lock", strings.Replace(uvText, h11, "[[ package ]]\nname = \"-h11\"", 1), 0, "two ways"},
		{"uv.lock", strings.Replace(uvText, "version = 1\n", "version = \"1\"\n", 1), 0, "kinds"},
		{"uv.lock", "x = '''\n[[package]]\n'''\n" + strings.Replace(uvText, `"0.14.0"`, `"newest"`, 1), 7, "not TOML"},
		{"uv.lock", uvText + "[[package]]\nname = \"a\"\nNAME = \"b\"\n", last - 1, "capital"},
		{"uv.lock", within("[", "", "]"), last, "within each other"},
		{"uv.lock", within("{a = ", "1", "}"), last, "within each other"},
		{"uv.lock", within(`["]", ']', """]""", '''']''''', `, "1", "]"), last, "within each other"},
		{"uv.lock", uvText + "[tool]\n" + strings.Repeat(`'a' ."b".`, 33) + "c = 1\n", last, "within each other"},
		{"pylock.toml", strings.Replace(pylockText, `"]`, `]`, 1), 3, "not TOML"},
		{"pylock.toml", strings.Replace(pylockText, `[packages.sdist]`, `[packages.other]`, 1), line(pylockText, "[[packages]]\nname = 'test-only'"), "test-only"},
	} {
		_, err := ReadLock(tc.file, []byte(tc.text))
		place := tc.file
		if tc.line > 0 {
			place = fmt.Sprintf("%s:%d", tc.file, tc.line)
		}
		e, ok := errors.AsType[*sallyport.Error](err)
		if !ok || e.Kind != sallyport.Invalid || e.Place != place || !strings.Contains(e.Msg, tc.want) || e.Mend == "" {
			t.Errorf("%v, want %q at %s, with a mend", err, tc.want, place)
		}
	}
}

// Markers mean what packaging, the reference, says they mean; pip carries it.
func TestMarkers(t *testing.T) {
	markers := []string{
		`python_version >= '3.9'`, `python_version < "3.9"`, `'3.11' == python_version`, `python_full_version == '3.11.*'`, `python_version != '3.*'`,
		`python_version ~= '3.10'`, `python_full_version ~= '3.11.2'`, `python_full_version ~= '3.12.0'`, `python_full_version > '3.11'`,
		`python_full_version >= '3.11.7rc1'`, `python_full_version < '3.11.8rc1'`, `sys_platform == 'linux' and (os_name == 'nt' or os_name == 'posix')`,
		`sys_platform != 'win32' or python_version < '3'`, `'linux' in sys_platform`, `sys_platform not in 'linux, darwin'`, `extra == 'dev'`, `extra != 'dev'`,
		`platform_machine == 'x86_64' and platform_python_implementation == 'CPython'`, `implementation_name === 'cpython'`, `python_version in '3.10 3.11'`,
		`((python_version > '3'))`, `os_name == 'nt' and os_name == 'posix' or os_name == 'posix'`, `os_name == 'posix' or os_name == 'nt' and os_name == 'nt'`,
		`os_name`, `os_name ==`, `== 'x'`, `os_name == 'x`, `os_name == 'x' and`, `(os_name == 'x'`, `os_name == 'x')`, `unknown == 'x'`, `os_name = 'x'`, `'a' os_name`,
		`os_name not 'x'`, `os_name == 'x' os_name == 'y'`, ``,
	}
	type verdict struct {
		Valid, Holds bool
	}
	var want []verdict
	input, _ := json.Marshal([]any{markers, linux})
	cmd := exec.Command("python3", "-c", `
import json, sys
from pip._vendor.packaging.markers import Marker, InvalidMarker
markers, env = json.load(sys.stdin)
out = []
for m in markers:
    try:
        out.append({"Valid": True, "Holds": Marker(m).evaluate(dict(env, extra=""))})
    except InvalidMarker:
        out.append({"Valid": False, "Holds": False})
print(json.dumps(out))`)
	cmd.Stdin = strings.NewReader(string(input))
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &want)
	}
	if err != nil {
		t.Skipf("SKIPPED: no python3 with pip here, so markers were not compared with the reference: %v", err)
	}
	for i, s := range markers {
		var got verdict
		if m, err := pep508.ParseMarker(s); err == nil {
			got = verdict{true, m.Holds(linux)}
		}
		if got != want[i] {
			t.Errorf("%s: %+v, want %+v", s, got, want[i])
		}
	}
}

// Whatever is accepted is pinned by proper names, versions and hashes, which is
// all that ever reaches an installer's command line or file.
func FuzzReadLock(f *testing.F) {
	f.Add("requirements.txt", []byte("six==1.16.0 ; python_version >= '3' \\\n --hash="+h1+"\n"))
	f.Add("requirements.txt", []byte("a @ https://example.org/a.whl#sha256="+h1[7:]+"\n--index-url https://example.org\n"))
	f.Add("uv.lock", []byte(uvText))
	f.Add("pylock.toml", []byte(pylockText))
	if b, err := os.ReadFile("../../examples/readmission/requirements.lock"); err == nil {
		f.Add("requirements.lock", b)
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		l, err := ReadLock(name, b)
		if err != nil {
			if e, ok := errors.AsType[*sallyport.Error](err); !ok || e.Kind != sallyport.Invalid {
				t.Fatalf("an error without a kind: %#v", err)
			}
			return
		}
		pins, err := l.choose(linux)
		if err != nil {
			return
		}
		bl := &build{opt: Options{Builds: true}}
		for _, p := range pins {
			line := bl.requirement(p)
			if strings.Count(line, "\n") != 1 || !strings.Contains(line, " --hash=sha") || strings.HasPrefix(line, "-") || strings.ContainsAny(line, "\x00\r\"\\${}#") && p.URL == "" {
				t.Fatalf("an unsafe line for the installer: %q", line)
			}
		}
	})
}
