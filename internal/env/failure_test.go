package env

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport"
)

// What pip and uv say becomes one sentence of the right kind about the right
// package, without credentials, control characters or the rest of the output.
func TestFailureOutputs(t *testing.T) {
	b := &build{lock: &Lock{file: "requirements.lock"}, env: &Environment{Platform: "linux-x86_64-glibc", Python: Python{Version: "3.11.7"}},
		pins: []Pin{{Name: "idna", Version: "3.7"}, {Name: "torch-thing", Version: "2.0"}}}
	for name, tc := range map[string]struct {
		output string
		kind   sallyport.Kind
		want   string
	}{
		"pip, full disk": {"Collecting idna==3.7\nERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n", sallyport.NoSpace, "disk is full"},
		"pip, other bytes": {"ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated…\n    torch_thing==2.0 from https://u:secret@example.org/torch_thing-2.0.whl:\n" +
			"        Expected sha256 11\n             Got        22\n", sallyport.Refused, "for torch-thing 2.0 are not"},
		"uv, other bytes":         {"  × Failed to download `idna==3.7`\n  ╰─▶ Hash mismatch for `idna==3.7`\n      Expected:\n", sallyport.Refused, "for idna 3.7 are not"},
		"pip, not offered":        {"ERROR: Could not find a version that satisfies the requirement torch-thing==2.0 (from versions: 1.0)\nERROR: No matching distribution found for torch-thing==2.0\n", sallyport.NotFound, "no wheel of torch-thing 2.0"},
		"uv, not offered":         {"  × No solution found when resolving dependencies:\n  ╰─▶ Because there is no version of idna==3.7 and you require idna==3.7, we can\n", sallyport.NotFound, "no wheel of idna 3.7"},
		"pip, out of reach":       {"WARNING: Retrying after connection broken by 'NewConnectionError: Failed to establish a new connection': https://u:secret@example.org/simple/idna/\nERROR: No matching distribution found for idna==3.7\n", sallyport.Unknown, "cannot be reached"},
		"pip, a bad certificate":  {"WARNING: Retrying … SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))\n", sallyport.Unknown, "cannot be reached"},
		"uv, out of reach":        {"error: Failed to fetch: `https://u:secret@example.org/simple/idna/`\n  Caused by: error sending request\n", sallyport.Unknown, "cannot be reached"},
		"pip, a build that fails": {"Collecting idna==3.7\n  error: subprocess-exited-with-error\nerror: metadata-generation-failed\n", sallyport.Invalid, "cannot be built"},
		"something else":          {"lots\nof\x1b[2J\nERROR: idna \x1b[31mexploded at https://u:secret@example.org/x\nmore\n", sallyport.Unknown, "idna"},
		"nothing":                 {"", sallyport.Unknown, "said nothing"},
		"very much":               {"ERROR: " + strings.Repeat("x", 10_000), sallyport.Unknown, "…"},
	} {
		err := b.failure("installing", tc.output, errors.New("exit status 1"))
		e, ok := errors.AsType[*sallyport.Error](err)
		if !ok || e.Kind != tc.kind || !strings.Contains(e.Msg, tc.want) || e.Mend == "" || strings.Contains(e.Error(), "secret") || strings.ContainsAny(e.Error(), "\x1b\n") || len(e.Msg) > 400 {
			t.Errorf("%s: %v (%v)", name, err, sallyport.KindOf(err))
		}
	}
	if err := fault("cannot write", fmt.Errorf("write: %w", syscall.ENOSPC)); !sallyport.Is(err, sallyport.NoSpace) {
		t.Errorf("a full disk of our own: %v", err)
	}
}

func TestCanonical(t *testing.T) {
	for _, same := range [][]string{
		{"1.0", "1", "v1.0.0"}, {"2022.12.7", "2022.12.07"}, {"1.0.post1", "1.0-post1", "1.0post1"}, {"2.0.0rc1", "2.0rc1", "2.0.0-RC1"},
		{"1.0+cu118", "1+cu118"}, {"1.0.dev3", "1.0dev3"}, {"10.20", "10.20.0"},
	} {
		for _, v := range same {
			if canonical(v) != canonical(same[0]) {
				t.Errorf("%s and %s are the same version", v, same[0])
			}
		}
	}
	for _, other := range [][2]string{{"1.0", "1.1"}, {"1.10", "1.1"}, {"1.0rc1", "1.0"}, {"1.0+cu118", "1.0"}, {"10", "1"}, {"1.0.post1", "1.0"}} {
		if canonical(other[0]) == canonical(other[1]) {
			t.Errorf("%s and %s are different versions", other[0], other[1])
		}
	}
}
