package sallyport

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// TestKinds holds names, exit codes and HTTP status as they are documented.
// Scripts depend on them: a change here breaks somebody's.
func TestKinds(t *testing.T) {
	want := []struct {
		kind Kind
		name string
		exit int
		http int
	}{
		{Internal, "internal", 2, 500},
		{Refused, "refused", 1, 409},
		{Usage, "usage", 2, 400},
		{Unknown, "unknown", 3, 409},
		{Invalid, "invalid", 10, 422},
		{NotFound, "not found", 11, 404},
		{Denied, "denied", 12, 403},
		{Busy, "busy", 13, 423},
		{Corrupt, "corrupt", 14, 500},
		{Unconfined, "unconfined", 15, 501},
		{StageFailed, "stage failed", 16, 422},
		{Limit, "limit", 17, 507},
		{Newer, "newer", 18, 501},
		{NoSpace, "no space", 19, 507},
		{Interrupted, "interrupted", 130, 499},
	}
	for i, w := range want {
		if k := w.kind; int(k) != i || k.String() != w.name || k.ExitCode() != w.exit || k.HTTPStatus() != w.http {
			t.Errorf("kind %d: %q, exit %d, HTTP %d; want %d: %q, exit %d, HTTP %d",
				k, k, k.ExitCode(), k.HTTPStatus(), i, w.name, w.exit, w.http)
		}
	}
	if n := declaredKinds(t); n != len(want) || n != len(kinds) {
		t.Errorf("%d kinds are declared, %d in the table and %d documented", n, len(kinds), len(want))
	}
}

// declaredKinds counts the constants of error.go, since one that the table
// lacks would panic only when it is first reported.
func declaredKinds(t *testing.T) (n int) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(node ast.Node) bool {
		if d, ok := node.(*ast.GenDecl); ok && d.Tok == token.CONST {
			n += len(d.Specs)
		}
		return true
	})
	return n
}

func TestExitCodes(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(ExitCodes(), "\n"), "\n")
	if len(lines) != len(kinds)+1 {
		t.Errorf("%d lines for %d kinds and success", len(lines), len(kinds))
	}
	if lines[0] != "    0  done" {
		t.Errorf("the first line is %q", lines[0])
	}
	for _, k := range kinds {
		if line := fmt.Sprintf("  %3d  %s", k.exit, k.when); k.when == "" || !slices.Contains(lines, line) {
			t.Errorf("%s is missing: %q", k.name, line)
		}
	}
	if !slices.IsSortedFunc(lines, func(a, b string) int { return strings.Compare(a[:5], b[:5]) }) {
		t.Errorf("not in order:\n%s", ExitCodes())
	}
}

func TestErrorText(t *testing.T) {
	err := Errorf(Invalid, "line %d is ragged", 17)
	if got := err.Error(); got != "line 17 is ragged" {
		t.Errorf("%q", got)
	}
	if got := err.At("%s:%d", "data.csv", 17).Try("give it %d fields", 5).Error(); got != "data.csv:17: line 17 is ragged" {
		t.Errorf("%q", got)
	}
	if err.Mend != "give it 5 fields" {
		t.Errorf("mend %q", err.Mend)
	}
}

func TestErrorCause(t *testing.T) {
	err := error(Errorf(NotFound, "no such file: %w", fs.ErrNotExist).At("data.csv"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
	if Errorf(NotFound, "no such file").Unwrap() != nil {
		t.Error("a cause out of nowhere")
	}
}

func TestKindOf(t *testing.T) {
	inner := Errorf(Busy, "locked")
	for name, c := range map[string]struct {
		err  error
		want Kind
	}{
		"an Error":                  {inner, Busy},
		"wrapped":                   {fmt.Errorf("add: %w", inner), Busy},
		"the outermost decides":     {Errorf(Corrupt, "read: %w", inner), Corrupt},
		"joined, the first decides": {errors.Join(errors.New("x"), inner), Busy},
		"an error that is not ours": {fs.ErrNotExist, Internal},
		"no error":                  {nil, Internal},
	} {
		t.Run(name, func(t *testing.T) {
			if got := KindOf(c.err); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			for k := range kinds {
				if is := Is(c.err, Kind(k)); is != (c.err != nil && Kind(k) == c.want) {
					t.Errorf("Is(%v) = %v", Kind(k), is)
				}
			}
		})
	}
}
