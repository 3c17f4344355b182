package pickles

import (
	"strings"
	"testing"
)

// TestKnown wants names that libraries have given to be known, however they are
// denied, and none that a file made up, wherever it puts it.
func TestKnown(t *testing.T) {
	for _, name := range []string{
		"posix.system", "nt.system", "os.system", "subprocess.Popen", "builtins.eval", "__builtin__.eval", "commands.getoutput",
		"torch._utils._rebuild_tensor_v2", "collections.OrderedDict", "sklearn.linear_model._base.LinearRegression",
		"pathlib.Path.unlink", "_posixsubprocess.fork_exec",
	} {
		if !Known(name) {
			t.Errorf("%s is not known", name)
		}
	}
	for _, name := range []string{
		"", ".", "os", "os.", ".system", "os.*", "os.Jane_Doe", "patient.Jane_Doe", "Jane_Doe.system", "torch.Jane_Doe",
		"os.system.Jane_Doe", "random._os.Jane_Doe", "os system", "os.system ", "builtins.Jane", "__torch__.Jane_Doe",
		"os.system popen", "os.abort access", "posix.it runs", strings.Repeat(".", 100),
	} {
		if Known(name) {
			t.Errorf("%q is known", name)
		}
	}
}

// TestStandard wants the list to be as it is searched.
func TestStandard(t *testing.T) {
	before := ""
	for line := range strings.Lines(body(standard)) {
		if line <= before || !strings.HasSuffix(line, "\n") {
			t.Errorf("%q does not follow %q", line, before)
		}
		before = line
		for word := range strings.FieldsSeq(line) {
			if !plainName(word) {
				t.Errorf("%q is no name", word)
			}
		}
	}
}
