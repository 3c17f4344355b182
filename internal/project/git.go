package project

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format/yaml"
)

// A repository runs git in one folder of a work tree that may be hostile: its
// configuration names programs that git would run for whoever looks at it.
type repository struct {
	dir     string   // the project's folder, where every command runs
	prefix  string   // dir from the root of the work tree: "" or "a/b/"
	filters []string // -c options that take the programs out of every filter
}

// safe are options that take away what a repository's own configuration could
// make git run (file monitors, hooks, pagers) and could make it overlook (modes,
// links, line ends). External diffs and text converters are switched off where
// diff is called, filters by quietFilters.
var safe = []string{
	"--no-pager",
	"-c", "safe.bareRepository=explicit",
	"-c", "core.fsmonitor=false",
	"-c", "core.hooksPath=" + os.DevNull,
	"-c", "core.quotePath=false",
	"-c", "core.untrackedCache=false",
	"-c", "core.fileMode=true",
	"-c", "core.symlinks=true",
	"-c", "core.autocrlf=false",
	"-c", "core.attributesFile=" + os.DevNull,
	"-c", "diff.orderFile=" + os.DevNull,
	"-c", "diff.suppressBlankEmpty=false",
}

// openRepository checks that git is there and that dir lies in a work tree.
func openRepository(ctx context.Context, dir string) (*repository, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, sallyport.Errorf(sallyport.NotFound, "git is not installed").Try("install git: the record of a run names its commit")
	}
	r := &repository{dir: dir}
	top, err := r.line(ctx, "rev-parse", "--show-toplevel")
	if err == nil {
		r.prefix, err = r.line(ctx, "rev-parse", "--show-prefix")
	}
	if err != nil {
		msg := err.Error()
		switch {
		case ctx.Err() != nil:
			return nil, err
		case strings.Contains(msg, "dubious ownership"):
			return nil, sallyport.Errorf(sallyport.Denied, "the git repository belongs to another user of this machine").At("%s", dir).
				Try("if you trust its owner, run git config --global --add safe.directory with the folder of the repository")
		case strings.Contains(msg, "not a git repository"):
			return nil, sallyport.Errorf(sallyport.NotFound, "the project is not in a git repository").At("%s", dir).
				Try("run git init there: the record of a run names the code by its commit")
		}
		return nil, sallyport.Errorf(sallyport.Invalid, "git cannot read the repository: %s", yaml.Clean(msg)).At("%s", dir)
	}
	// A configuration can send git to a work tree that is not this one.
	if filepath.Clean(filepath.FromSlash(top+"/"+r.prefix)) != filepath.Clean(dir) {
		return nil, sallyport.Errorf(sallyport.Refused, "the git repository says that its work tree lies elsewhere").At("%s", dir).
			Try("remove core.worktree from .git/config")
	}
	return r, r.quietFilters(ctx)
}

// quietFilters empties the programs of every content filter that any
// configuration defines: git would run them on files that it compares.
func (r *repository) quietFilters(ctx context.Context) error {
	out, err := r.output(ctx, nil, "config", "-z", "--name-only", "--get-regexp", `^filter\.`)
	if ee, ok := errors.AsType[*exec.ExitError](err); ok && ee.ExitCode() == 1 {
		return nil // no filter at all
	}
	if err != nil {
		return sallyport.Errorf(sallyport.Invalid, "git cannot read its configuration").At("%s", r.dir)
	}
	for name := range strings.SplitSeq(string(out), "\x00") {
		if name == "" {
			continue
		}
		// A name that cannot be given with -c cannot be made harmless either.
		if strings.ContainsAny(name, "=\n") {
			return sallyport.Errorf(sallyport.Refused, "the git configuration holds a filter that cannot be switched off").At("%s", r.dir).
				Try("remove the filter from .git/config")
		}
		value := ""
		if strings.HasSuffix(name, ".required") {
			value = "false"
		}
		r.filters = append(r.filters, "-c", name+"="+value)
	}
	return nil
}

// environment is the caller's without anything that steers git, and with what
// keeps it from writing, asking, or reaching out: a repository can name a
// helper program as the "remote" that missing objects are fetched from.
func (r *repository) environment(extra ...string) []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GIT_") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			env = append(env, kv)
		}
	}
	env = append(env, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0",
		"GIT_ALLOW_PROTOCOL=", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_ATTR_NOSYSTEM=1")
	return append(env, extra...)
}

func (r *repository) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append(append(append([]string{}, safe...), r.filters...), args...)...)
	cmd.Dir = r.dir
	cmd.Env = r.environment(env...)
	return cmd
}

// maxGit bounds what one git command may say, in bytes: lists of files, and the
// difference of a work tree from its commit.
const maxGit = 64 << 20

// output runs git and returns what it prints. A git that fails gives an error
// with the last line of its complaint, which wraps the *exec.ExitError.
func (r *repository) output(ctx context.Context, env []string, args ...string) ([]byte, error) {
	return capture(ctx, r.command(ctx, env, args...))
}

func capture(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			return nil, sallyport.Errorf(sallyport.Interrupted, "interrupted before git ran")
		}
		return nil, sallyport.Errorf(sallyport.Internal, "git cannot be started: %w", err)
	}
	out, readErr := io.ReadAll(io.LimitReader(pipe, maxGit+1))
	if len(out) > maxGit {
		_ = cmd.Process.Kill() // its answer is refused whatever it would be
		_ = cmd.Wait()
		return nil, sallyport.Errorf(sallyport.Limit, "the work tree differs from its commit by more than %d MiB", maxGit>>20).
			Try("commit large files, or list them in .gitignore")
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, sallyport.Errorf(sallyport.Interrupted, "interrupted while git ran")
	case err != nil:
		return nil, sallyport.Errorf(sallyport.Invalid, "%s: %w", strings.TrimSpace(complaint.String()), err)
	case readErr != nil:
		return nil, sallyport.Errorf(sallyport.Internal, "cannot read what git says: %w", readErr)
	}
	return out, nil
}

// line runs git and returns its one line of output.
func (r *repository) line(ctx context.Context, args ...string) (string, error) {
	out, err := r.output(ctx, nil, args...)
	return strings.TrimSuffix(string(out), "\n"), err
}

// list runs git and returns its NUL-terminated items.
func (r *repository) list(ctx context.Context, args ...string) ([]string, error) {
	out, err := r.output(ctx, nil, args...)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), nil
}
