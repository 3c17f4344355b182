package adversary

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/scan"
)

// missed are streams that were taken for text, or for harmless, until a hunt
// found them. None has a header.
var missed = map[string]string{
	"APPEND to a class, then a break":      "(lp0\ncsmtplib\nSMTP\nI00\naL123s5678cL19012345678901234567890L\na.",
	"the same as the first item":           "(lp0\n0csmtplib\nSMTP\nI00\naL123s5678cL19012345678901234567890L\na.",
	"BUILD of a function":                  "cnumpy.core.multiarray\nscalar\np0\n(cnumpy\ndtype\np1\n(Vf8\np2\nI00\nI01\ntu3\nRp4\n(I3\nV<\np5\nNNNI-1\nI-1\nI0\ntp6\nbc_codecs\nencode\np7\n(V12345678\np8\nVlatin1\np9\ntp10\nRp11\ntp12\nRp13\n.",
	"SETITEMS of an odd number":            "ccopy_reg\n_reconstructor\np0\n(csklearn.decomposition._pca\nPCA\np1\nc__c__builtin__\neval\nbuiltin__\nobject\np2\nNtp3\nRp4*(dp5\nVn_components\np6\nL123456789012345678901234567890L\nsVcomponents_\np7\nI1238082842\nsb.",
	"APPENDS to a class":                   "cdecimal\nDecimal\np0\n(V1.21.cbuiltins\nexec\n25\np1\nt5\np1\ntp\n.",
	"a name behind a STOP":                 "((dp0\n.cnumpy.testing._private.utils\nrunstring\ndp0\n.",
	"a name of one letter":                 "cdecimal\nD\n.ecimal\np\x08\n(V1.25\np1\ntp2p3\n.",
	"a call of a name that is not ended":   "(ip\ns.",
	"letters behind a STOP, not ended":     "N.cs\ns.",
	"letters behind a STOP, GLOBAL":        "I1\n.cj\na\n",
	"letters behind a STOP, INST":          "V\n.ib\ni.",
	"letters behind a STOP, and no MARK":   "V\n.ii\np.",
	"letters behind a STOP, and a break":   "V\n.cy\na.",
	"a name, then a break":                 "csmtplib\nSMTP\np0\nThis is no opcode any more",
	"a name that nobody knows, in Latin-1": "c_ncimp\nload_source\n__\nbytes\np0\n(ttp1\nRp2\x88",
	"a name of Python 2, then a break":     "ccommands\ngetoutput\np0\n?",
	"behind a text of a MiB":               "V" + strings.Repeat("a", 1<<20) + "\n0cos\nsystem\n(S'id'\ntR.",
	"behind texts of a MiB":                "(lp0\n" + strings.Repeat("V"+strings.Repeat("a", 1<<10)+"\na", 1100) + "cos\nsystem\n(S'id'\ntR.",
	"behind a string of a MiB":             "S'" + strings.Repeat("a", 1<<20) + "'\n0cos\nsystem\n(S'id'\ntR.",
	"behind a number of a MiB":             "F" + strings.Repeat("0", 1<<20) + "\n0cos\nsystem\n(S'id'\ntR.",
	"behind spaces of a MiB":               "I" + strings.Repeat(" ", 1<<20) + "1\n0cos\nsystem\n(S'id'\ntR.",
	"behind an identity of a MiB":          "P" + strings.Repeat("a", 1<<20) + "\n0cos\nsystem\n(S'id'\ntR.",
	"letters of no alphabet behind a name": "cshelvN\nopen\n\x80\x80",
	"an extension code within a letter":    "U!" + strings.Repeat("a", 32) + "\xc2\x82\x01)R and more",
	"a class of another alphabet, called":  "cmodèles\nRéseau\n)R0 and more",
}

// harmlessly are streams that look like those, and end at a name that nobody
// can have, or name what honest files name.
var harmlessly = []string{
	"c\n\nI1\na", "c\n\nV\nL4\ns", "c\n\nc\n\nb", "c\n\nU\x01xa", "c\n\n(ct\np\ntp3\nR", "cos\n\nNb", "cos..path\njoin\nNb",
	"ccollections\ndefault}ict\np0\n(cos\nsystem\ntR.", "cos\n9lives\n.",
	"csklearn.linear_model.logistic\nLogisticRegression\n.",
}

// honestly are the beginnings of texts that a pickle could begin with.
var honestly = []string{
	"cat\ndog\nbird\n", "category\ncount\n", "coverage\ncoveralls\nflake8\n", "checkpoints\nwandb\n", "(in short) this is\nall\n", "N. N.\n",
	"I am\nwhat I am.\n", "Vectors\nof numbers.\n", "Figure 1.\n", "Preface\n\nIn the beginning.\n", "cos x\nsin x\n", "conda-forge\ndefaults\n",
	"c" + strings.Repeat("ode", 1<<17), "V" + strings.Repeat("ector", 1<<18), "I" + strings.Repeat("dem", 1<<17), "import os\nos.system\n",
	"id,name\n1,a\n", "{\"a\": 1}\n", "(define x\n  1)\n", "% LaTeX\n\\begin{a}\n", "2026-01-01 00:00:00 INFO ready\n", "]\n", ")\n",
}

// boxes are the containers, each with the name of the file in it.
func boxes(name, stream string) map[string][]byte {
	w := &writer{Rand: rand.New(rand.NewPCG(1, 2))}
	files := map[string][]byte{name: []byte(stream)}
	for _, wrap := range []func(*writer, string, []byte) (string, []byte){inGzip, inZlib, inXZ, inLZMA, inLZ4, inZip, inTar} {
		box, data := wrap(w, name, []byte(stream))
		for files[box] != nil {
			box = "another/" + box
		}
		files[box] = data
	}
	return files
}

// TestMissed wants what was missed once to be blocked, in whatever it lies.
func TestMissed(t *testing.T) {
	s := scan.New(scan.Options{Temp: t.TempDir()})
	var questions []Question
	for what, stream := range missed {
		questions = append(questions, Question{Raw, []byte(stream)})
		files := boxes("model", stream)
		files["model.bin"], files["model.unheard-of"] = []byte(stream), []byte(stream)
		for name, data := range files {
			r, err := s.Bytes(t.Context(), name, data)
			if err != nil || r.Verdict.Passes() {
				t.Errorf("%s, as %s: %s %v", what, name, summary(r), err)
			}
		}
	}
	for i, a := range answers(t, questions) {
		if !a.hostile() {
			t.Errorf("%.80q: nothing comes of it: %+v", questions[i].Data, a)
		}
	}
}

// TestHarmless wants the oracle to say of what cannot be resolved that it does
// nothing, in each way of loading.
func TestHarmless(t *testing.T) {
	var questions []Question
	for _, stream := range harmlessly {
		questions = append(questions, Question{Raw, []byte(stream)})
	}
	for i, a := range answers(t, questions) {
		if a.hostile() || a.Called != 0 {
			t.Errorf("%q: %+v", questions[i].Data, a)
		}
	}
}

// TestHonestText wants what people write to pass, in whatever it lies.
func TestHonestText(t *testing.T) {
	s := scan.New(scan.Options{Temp: t.TempDir()})
	for _, text := range honestly {
		for _, name := range []string{"README", "notes.txt"} {
			for box, data := range boxes(name, text) {
				r, err := s.Bytes(t.Context(), box, data)
				if err != nil || !r.Verdict.Passes() || slices.Contains(r.Formats, "pickle") {
					t.Errorf("%.40q, as %s: %s %v", text, box, summary(r), err)
				}
			}
		}
	}
}

func answers(t *testing.T, questions []Question) []Answer {
	t.Helper()
	answers, err := asked(t).Ask(t.Context(), questions)
	if err != nil {
		t.Fatal(err)
	}
	return answers
}
