package env

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/sallyport/sallyport"
)

// A build makes one environment in a folder that does not count until it is
// whole: everything is made durable first and then renamed into place.
type build struct {
	store *Store
	env   *Environment
	lock  *Lock
	pins  []Pin
	opt   Options
	dir   string // the folder that is being made
}

func (b *build) tree() string { return filepath.Join(b.dir, treeName) }

func (b *build) run(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp(b.store.Dir, b.env.ID+buildMark); err != nil {
		return fault("cannot make the folder of an environment", err)
	}
	defer func() {
		if err != nil {
			removeTree(b.dir)
		}
	}()
	if err := b.seat(b.tree()); err != nil {
		return fault("cannot prepare the environment", err)
	}
	if err := b.install(ctx); err != nil {
		return err
	}
	if err := checkSeat(b.tree(), b.env.Python); err != nil {
		return sallyport.Errorf(sallyport.Refused, "a package puts a file of its own in the place of the environment's %w", err).At("%s", b.lock.file).
			Try("do not use this package")
	}
	if err := b.settle(); err != nil {
		return fault("cannot put the environment in order", err)
	}
	if err := b.checkInstalled(); err != nil {
		return err
	}
	if err := b.compile(ctx); err != nil {
		return err
	}
	if err := b.seal(ctx); err != nil {
		return fault("cannot finish the environment", err)
	}
	fmt.Fprintf(b.opt.Progress, "environment ready: %d packages, %d files, %d MiB\n", len(b.env.Packages), b.env.Files, b.env.Bytes>>20)
	return nil
}

// links are the names under which an environment's interpreter is found. They
// and pyvenv.cfg are the seat: the only parts of a tree that differ between
// machines, and therefore no part of its digest. Verify checks them by
// themselves.
func links(p Python) map[string]string {
	return map[string]string{
		"bin/python":                 p.Executable,
		"bin/python3":                "python",
		"bin/" + baseName(p.Version): "python",
		"lib64":                      "lib", // where some distributions' Pythons look for compiled modules
	}
}

const seatConfig = "pyvenv.cfg"

// seatText is the pyvenv.cfg of a tree (PEP 405): with it, an interpreter that
// is started as /env/bin/python finds its packages below /env.
func seatText(p Python) string {
	return fmt.Sprintf("home = %s\ninclude-system-site-packages = false\nversion = %s\n", filepath.Dir(p.Executable), p.Version)
}

// seat makes a tree without packages.
func (b *build) seat(tree string) error {
	for _, dir := range []string{"bin", filepath.Join("lib", baseName(b.env.Python.Version), "site-packages")} {
		if err := os.MkdirAll(filepath.Join(tree, dir), 0o755); err != nil {
			return err
		}
	}
	for name, target := range links(b.env.Python) {
		if err := os.Symlink(target, filepath.Join(tree, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(tree, seatConfig), []byte(seatText(b.env.Python)), 0o644)
}

// checkSeat proves that the seat of a tree is what seat made. The error names
// the part that is not.
func checkSeat(tree string, p Python) error {
	for name, target := range links(p) {
		if got, err := os.Readlink(filepath.Join(tree, filepath.FromSlash(name))); err != nil || got != target {
			return errors.New(name)
		}
	}
	if text, err := os.ReadFile(filepath.Join(tree, seatConfig)); err != nil || string(text) != seatText(p) {
		return errors.New(seatConfig)
	}
	return nil
}

//go:embed compile.py
var compileScript string

// compileParts is into how many parts the compilation is split. It is fixed, so
// that no file's bytes can depend on the number of processors.
const compileParts = 4

// compile writes the byte code of every module. It runs the interpreter without
// its site module (-S), since the .pth files of packages are code.
func (b *build) compile(ctx context.Context) error {
	if len(b.pins) == 0 {
		return nil
	}
	fmt.Fprintln(b.opt.Progress, "compiling every module once, so that no run has to")
	errs := make([]error, compileParts)
	var wg sync.WaitGroup
	for k := range compileParts {
		wg.Go(func() {
			cmd := command(ctx, b.env.Python.Executable, "-S", "-s", "-B", "-c", compileScript, b.tree(), Mount, strconv.Itoa(k), strconv.Itoa(compileParts))
			// A fixed seed gives sets one order. No other variable of PYTHON… may
			// pass, and the folder holds no module that could be taken for another.
			cmd.Env = []string{"PYTHONHASHSEED=0", "LC_ALL=C.UTF-8"}
			cmd.Dir = b.dir
			out := &tail{}
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Run(); err != nil {
				errs[k] = b.failure("compiling", out.String(), err)
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return interrupted()
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// seal hashes the tree, makes it read-only and durable, and gives it its name.
func (b *build) seal(ctx context.Context) error {
	if err := protect(b.tree()); err != nil {
		return err
	}
	m, err := scan(ctx, b.tree(), b.env.Python)
	if err != nil {
		return err
	}
	text := m.bytes()
	b.env.Tree, b.env.Files, b.env.Bytes = sallyport.Sum(text), len(m), m.size()
	record, err := json.MarshalIndent(b.env, "", "\t")
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{manifestName: text, recordName: append(record, '\n')} {
		if err := os.WriteFile(filepath.Join(b.dir, name), content, 0o444); err != nil {
			return err
		}
	}
	if err := os.Chmod(b.dir, 0o555); err != nil {
		return err
	}
	// Bytes before name: after a crash the folder has its name only if all of it
	// is there.
	if err := syncTree(b.dir); err != nil {
		return err
	}
	if err := os.Rename(b.dir, filepath.Join(b.store.Dir, b.env.ID)); err != nil {
		return err
	}
	return syncPath(b.store.Dir)
}

// syncPath makes a file, or the names in a folder, durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
