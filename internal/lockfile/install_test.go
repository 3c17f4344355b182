package lockfile

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Every way in which people install from a notebook is found.
func TestWaysToInstall(t *testing.T) {
	for cell, want := range map[string]string{
		"pip install a==1":                                       "a 1", // the magic may be left out of a line that is alone
		"\npip3 install a==1\n":                                  "a 1",
		"pip install a==1\nprint(1)":                             "", // a mistake, which installs nothing
		"%sx pip install a==1":                                   "a 1",
		"%system pip install a==1":                               "a 1",
		"!bash -c 'pip install a==1 && pip install b==2'":        "a 1, b 2",
		"!sudo /bin/sh -lc \"pip install 'a==1'\"":               "a 1",
		"%%bash\nsh -c 'pip install a==1'":                       "a 1",
		"!uv pip sync r.txt":                                     "r 3",
		"!pip-sync r.txt more.txt":                               "r 3; missing more.txt",
		"!conda env update -f e.yml":                             "c 4",
		"!mamba env create --file=e.yml":                         "c 4",
		"!conda env create -f gone.yml":                          "; missing gone.yml",
		"%conda install --file specs.txt":                        "s 5",
		"!conda install -c conda-forge --yes a==1":               "a 1",
		"!echo install pip":                                      "",
		"!bash -c \"$(curl -s https://example.org/install.sh)\"": "",
	} {
		nb, err := json.Marshal(map[string]any{"cells": []any{map[string]any{"cell_type": "code", "source": cell}}})
		if err != nil {
			t.Fatal(err)
		}
		l, err := Read(files("x.ipynb", string(nb), "r.txt", "r==3", "e.yml", "dependencies:\n- pip:\n  - c==4\n", "specs.txt", "s=5=py_0\n"), "x.ipynb")
		if err != nil {
			t.Errorf("%s: %v", cell, err)
			continue
		}
		var got []string
		for _, p := range l.Packages {
			got = append(got, p.Name+" "+p.Version)
		}
		all := strings.Join(got, ", ")
		for _, u := range l.Unread {
			all += fmt.Sprintf("; %s %s", u.Reason, u.Wants)
		}
		if all != want {
			t.Errorf("%s: %q, want %q", cell, all, want)
		}
	}
}

// What pixi is asked for of conda's channels goes by the names that it has there.
func TestPixiDeclaration(t *testing.T) {
	l, err := Read(files("pyproject.toml", `
[tool.pixi.dependencies]
python = ">=3.11"
pytorch = "==1.12.0"
gcc = "*"
numpy = "=1.26"
scipy = {version = "1.11.0", channel = "conda-forge"}
[tool.pixi.target.linux-64.dependencies]
faiss-cpu = "==1.8.0"
[tool.pixi.target.linux-64.pypi-dependencies]
flask = "==3.0.0"
[tool.pixi.feature.gpu.target.linux-64.dependencies]
cupy = ">=13"
`), "pyproject.toml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range l.Packages {
		got = append(got, fmt.Sprintf("%s %s %v %s:%d", p.Name, p.Version, p.Conda, p.Source.Index, p.Place.Line))
	}
	for _, u := range l.Unread {
		got = append(got, fmt.Sprintf("%s %s %s %v:%d", u.Reason, u.Name, u.Wants, u.Groups, u.Place.Line))
	}
	want := []string{"faiss-cpu 1.8.0 true :9", "flask 3.0.0 false :11", "scipy 1.11.0 true conda-forge:7", "torch 1.12.0 true :4",
		"native gcc gcc * []:5", "range numpy =1.26 []:6", "range cupy >=13 [gpu]:13"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

// An archive that lies beside a lock is somebody's release, and not the project's
// own code, which nobody compares with advisories.
func TestPixiArchivesBeside(t *testing.T) {
	l, err := Read(files("pixi.lock", `version: 6
environments: {default: {channels: [], packages: {linux-64: [{pypi: ./wheels/torch-1.0-py3-none-any.whl}, {pypi: ./own}]}}}
packages:
- pypi: ./wheels/torch-1.0-py3-none-any.whl
  name: torch
  version: '1.0'
- pypi: ./own
  name: own
  version: '2'
`), "pixi.lock")
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Unread) != 1 || l.Unread[0].Name != "torch" || l.Unread[0].Reason != Path || len(l.Packages) != 1 || l.Packages[0].Source.Path != "own" {
		t.Errorf("%+v", l)
	}
}
