package launch

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/sandbox"
)

// TestPlaces wants a folder, a file in a folder and a file at the top each to
// get the volume that lets code write them as it is used to, and each to be
// collected under its own name from its own folder.
func TestPlaces(t *testing.T) {
	collected := map[string]string{} // place to the name of the file found there
	task := Task{
		Writes: []string{"model/", "metrics/a.json", "metrics/b.json", "top.json", "deep/er/"},
		Code:   func(*os.Root) error { return nil },
		Collect: func(place string, at *os.Root) error {
			entries, err := os.ReadDir(at.Name())
			if err == nil && len(entries) > 0 {
				collected[place] = entries[0].Name()
			}
			return err
		},
	}
	c := task.sandbox()
	var targets []string
	for _, v := range c.Volumes {
		targets = append(targets, v.Target)
		if v.Target == WorkDir && v.Writable {
			t.Error("the code can be written")
		}
		if v.Target != WorkDir && !v.Writable {
			t.Errorf("%s cannot be written", v.Target)
		}
		if v.File != (v.Target == "/work/top.json") {
			t.Errorf("%s: file is %v", v.Target, v.File)
		}
		if v.Collect == nil {
			continue
		}
		root := at(t)
		if v.Fill != nil {
			if err := v.Fill(root); err != nil {
				t.Fatal(err)
			}
		} else if err := root.WriteFile("x", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := v.Collect(root); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(targets)
	if want := []string{"/work", "/work/deep/er", "/work/metrics", "/work/model", "/work/top.json"}; !slices.Equal(targets, want) {
		t.Errorf("volumes at %v, want %v", targets, want)
	}
	want := map[string]string{"model/": "x", "metrics/a.json": "x", "metrics/b.json": "x", "top.json": "top.json", "deep/er/": "x"}
	for place, name := range want {
		if collected[place] != name {
			t.Errorf("%s was collected with %q, want %q", place, collected[place], name)
		}
	}
}

// TestShows wants the environment at its one place and no folder twice.
func TestShows(t *testing.T) {
	outside := t.TempDir()
	task := Task{Environment: outside, Visible: []string{"/usr/lib/python3", outside}}
	c := task.sandbox()
	seen := map[string]int{}
	for _, b := range c.Binds {
		seen[b.Target]++
		if b.Target == "/usr/lib/python3" {
			t.Error("shown inside of /usr again")
		}
		if b.Target == "/home" || b.Target == "/root" || b.Target == "/etc" {
			t.Errorf("%s of the host is shown", b.Target)
		}
	}
	if !slices.Contains(c.Binds, sandbox.Bind{Source: outside, Target: EnvDir}) {
		t.Errorf("the environment is not at %s: %v", EnvDir, c.Binds)
	}
	for target, n := range seen {
		if n > 1 {
			t.Errorf("%s is shown %d times", target, n)
		}
	}
}

func at(t *testing.T) *os.Root {
	dir := filepath.Join(t.TempDir(), "v")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}
