package project

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
)

// git runs the git command as a person would, apart from configuration.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// newRepo makes a repository whose project lies in the folder sub.
func newRepo(t *testing.T) (repo string, p *Project) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: no git here, so no snapshot was taken")
	}
	repo, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	git(t, repo, "init", "-q")
	dir := filepath.Join(repo, "sub")
	write(t, dir, FileName, "project: x\ndata: {data/real.csv: real}\nstages: {train: {run: python train.py, writes: [model/], metrics: m.json}}\n")
	write(t, dir, "train.py", "print(1)\n")
	write(t, dir, "lib/tool.sh", "#!/bin/sh\n")
	write(t, dir, ".gitignore", "*.log\n")
	write(t, repo, "beside.txt", "not of the project\n")
	chmod(t, filepath.Join(dir, "lib/tool.sh"), 0o755)
	if p, err = Load(dir); err != nil {
		t.Fatal(err)
	}
	return repo, p
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func commit(t *testing.T, repo string) string {
	t.Helper()
	git(t, repo, "add", "-A")
	git(t, repo, "commit", "-q", "-m", "x")
	return git(t, repo, "rev-parse", "HEAD")
}

func snapshot(t *testing.T, p *Project) *Snapshot {
	t.Helper()
	s, err := p.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func paths(s *Snapshot) (out []string) {
	for _, f := range s.Files {
		out = append(out, f.Path)
	}
	return out
}

func TestSnapshot(t *testing.T) {
	repo, p := newRepo(t)
	id := commit(t, repo)
	git(t, repo, "remote", "add", "origin", "https://user:secret@example.org/a/b.git?token=secret")
	clean := snapshot(t, p)
	want := []string{".gitignore", "lib/tool.sh", FileName, "train.py"}
	if clean.Commit != id || clean.Dirty || len(clean.Diff) > 0 || clean.Remote != "https://example.org/a/b.git" || !slices.Equal(paths(clean), want) {
		t.Errorf("clean: %+v", clean)
	}
	if m := clean.Files[1].Mode; m != 0o755 {
		t.Errorf("mode %v", m)
	}

	// Records, outputs, the site and what git ignores are no code, tracked or not.
	for _, name := range []string{"data/real.csv", "model/m.onnx", "m.json", ".sallyport/key", "x.log"} {
		write(t, p.Dir, name, "secret\n")
	}
	git(t, repo, "add", "-f", "sub/data/real.csv")
	if s := snapshot(t, p); s.Dirty || s.Tree != clean.Tree {
		t.Errorf("not code, but in the snapshot: %v\n%s", paths(s), s.Diff)
	}

	write(t, p.Dir, "train.py", "print(2)\n")
	write(t, p.Dir, "new file ü.py", "print(3)\n")
	git(t, repo, "add", "sub/new file ü.py")
	write(t, p.Dir, "people.csv", "secret\n") // not declared, not ignored, and not code
	s := snapshot(t, p)
	if !slices.Equal(s.LeftOut, []string{"people.csv"}) {
		t.Errorf("left out: %v", s.LeftOut)
	}
	if !s.Dirty || s.Tree == clean.Tree || !slices.Equal(s.Untracked, []string{"new file ü.py"}) {
		t.Errorf("dirty: %v %v", s.Dirty, s.Untracked)
	}
	if bytes.Contains(s.Diff, []byte("secret")) {
		t.Errorf("a record is in the difference:\n%s", s.Diff)
	}
}

// Whatever state a work tree is in, its commit and the difference give exactly
// its files again. git itself applies the patch.
func TestDifferenceGivesTheFiles(t *testing.T) {
	changes := map[string]func(t *testing.T, repo, dir string){
		"clean":   func(*testing.T, string, string) {},
		"changed": func(t *testing.T, _, dir string) { write(t, dir, "train.py", "print(2)") },
		"deleted": func(t *testing.T, _, dir string) { remove(t, dir, "train.py") },
		"new":     func(t *testing.T, _, dir string) { write(t, dir, "a/b.py", "print(2)\n") },
		"empty":   func(t *testing.T, _, dir string) { write(t, dir, "a/__init__.py", "") },
		"binary":  func(t *testing.T, _, dir string) { write(t, dir, "b.bin", "\x00\x01\xff\n\x00") },
		"odd name": func(t *testing.T, _, dir string) {
			write(t, dir, ":(top)*.py", "x\n")
			write(t, dir, "a b\"c\\d.py", "x\n")
		},
		"mode":   func(t *testing.T, _, dir string) { chmod(t, filepath.Join(dir, "train.py"), 0o755) },
		"link":   func(t *testing.T, _, dir string) { link(t, dir, "lib/l", "../train.py") },
		"staged": func(t *testing.T, repo, dir string) { write(t, dir, "s.py", "s\n"); git(t, repo, "add", "-A") },
		"staged though ignored": func(t *testing.T, repo, dir string) {
			write(t, dir, "s.log", "s\n")
			git(t, repo, "add", "-f", "sub/s.log")
		},
		"taken out of the index": func(t *testing.T, repo, _ string) { git(t, repo, "rm", "-q", "--cached", "sub/train.py") },
		"told to overlook": func(t *testing.T, repo, dir string) {
			git(t, repo, "update-index", "--assume-unchanged", "sub/train.py")
			git(t, repo, "update-index", "--skip-worktree", "sub/lib/tool.sh")
			write(t, dir, "train.py", "print('other')\n")
			write(t, dir, "lib/tool.sh", "other\n")
		},
		"modes overlooked": func(t *testing.T, repo, dir string) {
			git(t, repo, "config", "core.fileMode", "false")
			chmod(t, filepath.Join(dir, "train.py"), 0o755)
		},
		"patch form changed": func(t *testing.T, repo, dir string) {
			git(t, repo, "config", "diff.noprefix", "true")
			git(t, repo, "config", "diff.external", "false")
			git(t, repo, "config", "diff.context", "0")
			git(t, repo, "config", "color.ui", "always")
			write(t, dir, "train.py", "print('other')\n")
		},
	}
	for name, change := range changes {
		for _, born := range []bool{true, false} {
			t.Run(name+map[bool]string{true: "", false: ", unborn"}[born], func(t *testing.T) {
				repo, p := newRepo(t)
				if born {
					commit(t, repo)
				} else {
					git(t, repo, "add", "-A")
				}
				change(t, repo, p.Dir)
				switch name {
				case "new", "empty", "binary", "odd name", "link": // git has to know a file for it to be code
					git(t, repo, "add", "--intent-to-add", ".")
				}
				index, _ := os.ReadFile(filepath.Join(repo, ".git/index"))
				s := snapshot(t, p)
				if after, _ := os.ReadFile(filepath.Join(repo, ".git/index")); !bytes.Equal(index, after) {
					t.Error("the repository's index was written to")
				}
				if s.Dirty != (name != "clean" && name != "taken out of the index" || !born) {
					t.Errorf("dirty is %v", s.Dirty)
				}

				again := filepath.Join(t.TempDir(), "again")
				if born {
					git(t, filepath.Dir(again), "clone", "-q", repo, again)
				} else {
					git(t, filepath.Dir(again), "init", "-q", again)
				}
				if len(s.Diff) > 0 {
					patch := filepath.Join(t.TempDir(), "patch")
					if err := os.WriteFile(patch, s.Diff, 0o644); err != nil {
						t.Fatal(err)
					}
					git(t, again, "apply", "--whitespace=nowarn", patch)
				}
				// Ignored files of the patch count only when git is told of them.
				git(t, again, "add", "-A", "-f")
				copied := *p
				copied.Dir = filepath.Join(again, filepath.FromSlash(s.Prefix))
				if got := snapshot(t, &copied); got.Tree != s.Tree {
					t.Errorf("commit and difference do not give the files:\n%s\nwant\n%s", got.Manifest(), s.Manifest())
				}
			})
		}
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, dir, name, target string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// A repository's own configuration cannot make a snapshot run a program.
func TestHostileRepository(t *testing.T) {
	repo, p := newRepo(t)
	commit(t, repo)
	trap := filepath.Join(repo, "trap.sh")
	mark := filepath.Join(t.TempDir(), "ran")
	write(t, repo, "trap.sh", "#!/bin/sh\necho \"$0\" >> '"+mark+"'\ncat\n")
	chmod(t, trap, 0o755)
	write(t, p.Dir, ".gitattributes", "* filter=trap diff=trap\n*.sh filter=long\n")
	for _, key := range []string{"core.fsmonitor", "core.pager", "pager.diff", "diff.external", "diff.trap.command", "diff.trap.textconv",
		"filter.trap.clean", "filter.trap.smudge", "filter.long.process", "core.sshCommand", "core.editor", "core.gitProxy",
		"credential.helper", "core.askPass", "uploadpack.packObjectsHook"} {
		git(t, repo, "config", key, trap)
	}
	git(t, repo, "config", "filter.trap.required", "true")
	for _, hook := range []string{"post-index-change", "pre-commit", "reference-transaction", "fsmonitor-watchman"} {
		write(t, repo, ".git/hooks/"+hook, "#!/bin/sh\necho hook >> '"+mark+"'\n")
		chmod(t, filepath.Join(repo, ".git/hooks", hook), 0o755)
	}
	write(t, p.Dir, "train.py", "print(2)\n")
	// A missing object whose "remote" is a program.
	git(t, repo, "config", "protocol.ext.allow", "always")
	git(t, repo, "config", "remote.origin.url", "ext::"+trap)
	git(t, repo, "config", "remote.origin.promisor", "true")
	git(t, repo, "config", "extensions.partialClone", "origin")
	id := git(t, repo, "-c", "core.fsmonitor=false", "ls-files", "-s", "sub/train.py")
	blob := strings.Fields(id)[1]
	remove(t, filepath.Join(repo, ".git/objects", blob[:2]), blob[2:])
	_ = os.Remove(mark)

	if s, err := p.Snapshot(t.Context()); err == nil {
		t.Errorf("a missing object went unnoticed: %v", s.Dirty)
	}
	if ran, err := os.ReadFile(mark); err == nil {
		t.Errorf("the repository ran a program:\n%s", ran)
	}

	// With the object back, the difference is taken without any of them.
	cmd := exec.Command("git", "-c", "core.fsmonitor=false", "hash-object", "-w", "--stdin")
	cmd.Dir, cmd.Stdin = repo, strings.NewReader("print(1)\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_ = os.Remove(mark)
	if s := snapshot(t, p); !bytes.Contains(s.Diff, []byte("+print(2)")) {
		t.Errorf("the difference is not the plain one:\n%s", s.Diff)
	}
	if ran, err := os.ReadFile(mark); err == nil {
		t.Errorf("the repository ran a program:\n%s", ran)
	}
}

func TestSnapshotRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(t *testing.T, repo, dir string)
		kind   sallyport.Kind
		msg    string
		add    bool
	}{
		"a link to the outside":   {func(t *testing.T, _, d string) { link(t, d, "l", "../beside.txt") }, sallyport.Refused, "out of the project", true},
		"an absolute link":        {func(t *testing.T, _, d string) { link(t, d, "l", "/etc/passwd") }, sallyport.Refused, "out of the project", true},
		"a link by way of a link": {func(t *testing.T, _, d string) { link(t, d, "lib/up", ".."); link(t, d, "l", "lib/up/../x") }, sallyport.Refused, "out of the project", true},
		"a repository inside": {func(t *testing.T, _, d string) {
			git(t, d, "init", "-q", "inner")
			write(t, d, "inner/x", "x")
			git(t, filepath.Join(d, "inner"), "add", "x")
			commit(t, filepath.Join(d, "inner"))
		}, sallyport.Invalid, "git repository inside", true},
		"a name that repaints":        {func(t *testing.T, _, d string) { write(t, d, "a\x1b[2J", "x") }, sallyport.Invalid, "file name", true},
		"no repository":               {func(t *testing.T, r, _ string) { _ = os.RemoveAll(filepath.Join(r, ".git")) }, sallyport.NotFound, "not in a git repository", false},
		"a repository without a HEAD": {func(t *testing.T, r, _ string) { write(t, r, ".git/HEAD", "garbage") }, sallyport.NotFound, "not in a git repository", false},
		"a work tree elsewhere": {func(t *testing.T, r, _ string) { git(t, r, "config", "core.worktree", t.TempDir()) },
			sallyport.Refused, "work tree lies elsewhere", false},
	} {
		t.Run(name, func(t *testing.T) {
			repo, p := newRepo(t)
			commit(t, repo)
			tc.change(t, repo, p.Dir)
			if tc.add {
				git(t, repo, "add", "-A")
			}
			_, err := p.Snapshot(t.Context())
			e, ok := errors.AsType[*sallyport.Error](err)
			if !ok || e.Kind != tc.kind || !strings.Contains(e.Msg, tc.msg) || e.Mend == "" {
				t.Errorf("got %v", err)
			}
		})
	}
	_, p := newRepo(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Snapshot(ctx); !sallyport.Is(err, sallyport.Interrupted) {
		t.Errorf("interrupted: %v", err)
	}
}

// The archive is a function of the files alone, and reads back as they are.
func TestWriteTar(t *testing.T) {
	repo, p := newRepo(t)
	link(t, p.Dir, "lib/l", "../train.py")
	commit(t, repo)
	s := snapshot(t, p)
	var first, second bytes.Buffer
	if err := s.WriteTar(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(p.Dir, "train.py"), fsTime, fsTime); err != nil {
		t.Fatal(err)
	}
	if err := snapshot(t, p).WriteTar(t.Context(), &second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("two archives of the same files differ (%v)", err)
	}
	tr := tar.NewReader(&first)
	for _, f := range s.Files {
		h, err := tr.Next()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeSymlink {
			content = []byte(h.Linkname)
		}
		if h.Name != f.Path || sallyport.Sum(content) != f.Digest || int64(len(content)) != f.Size || h.ModTime.Unix() != 0 {
			t.Errorf("%s: %+v", f.Path, h)
		}
	}
	if _, err := tr.Next(); err != io.EOF {
		t.Errorf("more entries than files: %v", err)
	}

	for change, content := range map[string]string{"same size": "print(9)\n", "longer": "print(1)\nx", "shorter": ""} {
		write(t, p.Dir, "train.py", content)
		if err := s.WriteTar(t.Context(), io.Discard); !sallyport.Is(err, sallyport.Busy) {
			t.Errorf("a file changed (%s): %v", change, err)
		}
	}
	remove(t, p.Dir, "train.py")
	if err := s.WriteTar(t.Context(), io.Discard); !sallyport.Is(err, sallyport.Busy) {
		t.Errorf("a file vanished: %v", err)
	}
}

func TestPublicURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://u:p@example.org/a.git":       "https://example.org/a.git",
		"https://token@example.org/a?x=y#z":   "https://example.org/a",
		"ssh://git@example.org:22/a.git":      "ssh://example.org:22/a.git",
		"git@example.org:a/b.git":             "example.org:a/b.git",
		"example.org:a/b.git":                 "example.org:a/b.git",
		"/home/somebody/repo":                 "",
		"../repo":                             "",
		"file:///home/somebody/repo":          "",
		"ext::sh -c secret":                   "",
		`C:\repo`:                             "",
		"https://user:p%ss@example.org/a.git": "",
	} {
		if got := publicURL(in); got != want {
			t.Errorf("publicURL(%q) = %q, want %q", in, got, want)
		}
	}
}

// fsTime is some time that no file of the tests has by itself.
var fsTime = time.Unix(1_000_000_000, 0)
