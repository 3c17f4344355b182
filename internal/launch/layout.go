package launch

import (
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/sandbox"
)

// sandbox lays t out.
func (t Task) sandbox() sandbox.Config {
	c := sandbox.Config{
		Args: []string{"/bin/sh", "-c", t.Command}, Env: t.Env, Dir: WorkDir,
		Binds: sandbox.System(), Limits: t.Limits, Network: t.Network,
		Stdout: t.Stdout, Stderr: t.Stderr, Attempt: t.Attempt,
	}
	if t.Environment != "" {
		c.Binds = append(c.Binds, sandbox.Bind{Source: t.Environment, Target: EnvDir})
	}
	for _, dir := range t.Visible {
		if !seen(dir, c.Binds) {
			c.Binds = append(c.Binds, sandbox.Bind{Source: dir, Target: dir})
		}
	}
	c.Volumes = append(c.Volumes, sandbox.Volume{Target: WorkDir, Fill: t.fill})
	return t.places(c)
}

// seen reports whether dir lies in something that is shown already.
func seen(dir string, binds []sandbox.Bind) bool {
	return slices.ContainsFunc(binds, func(b sandbox.Bind) bool {
		return dir == b.Target || strings.HasPrefix(dir, b.Target+"/")
	})
}

// fill lays out what the stage may read in WorkDir.
func (t Task) fill(root *os.Root) error {
	if err := t.Code(root); err != nil {
		return err
	}
	for _, in := range t.Inputs {
		if err := in.Fill(root, in.Path); err != nil {
			return err
		}
	}
	return nil
}

// places adds a volume for each place that the stage may write. A file gets the
// folder that it is in, so that it can be written under another name and
// renamed; at the top of the project, where that folder is the code, it gets a
// volume of its own.
func (t Task) places(c sandbox.Config) sandbox.Config {
	files := map[string][]string{} // folder to the declared files in it
	for _, w := range t.Writes {
		switch dir := path.Dir(w); {
		case strings.HasSuffix(w, "/"):
			c.Volumes = append(c.Volumes, sandbox.Volume{
				Target: path.Join(WorkDir, w), Writable: true, Size: t.Scratch,
				Collect: func(at *os.Root) error { return t.Collect(w, at) },
			})
		case dir == ".":
			c.Volumes = append(c.Volumes, sandbox.Volume{
				Target: path.Join(WorkDir, w), Writable: true, File: true, Size: t.Scratch,
				Fill:    func(at *os.Root) error { return at.WriteFile(w, nil, 0o644) },
				Collect: func(at *os.Root) error { return t.Collect(w, at) },
			})
		default:
			files[dir] = append(files[dir], w)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(files)) {
		c.Volumes = append(c.Volumes, sandbox.Volume{
			Target: path.Join(WorkDir, dir), Writable: true, Size: t.Scratch,
			Collect: func(at *os.Root) error {
				for _, w := range files[dir] {
					if err := t.Collect(w, at); err != nil {
						return err
					}
				}
				return nil
			},
		})
	}
	return c
}
