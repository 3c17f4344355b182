package scan

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// again is a report as it is read back from JSON.
func again(t testing.TB, r *Report) *Report {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

// told is the finding that a quiet report makes of one that quotes what.
func told(t *testing.T, rule, what string) string {
	t.Helper()
	r := &Report{Findings: []Finding{{Rule: &Rule{ID: rule}, Verdict: Suspicious, What: what, Times: 1}}}
	return Quiet(r).Findings[0].What
}

// TestQuiet wants names of code to be told that are known, by the rules that find
// code, and nothing else.
func TestQuiet(t *testing.T) {
	for _, c := range []struct{ rule, what, want string }{
		{"pickle-global", "posix.system", "posix.system"},
		{"pickle-call", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v2"},
		{"pickle-global", "patient.Jane_Doe", Withheld},
		{"pickle-global", "os.Jane_Doe", Withheld},
		{"pickle-global", "Jane_Doe.system", Withheld},
		{"pickle-trailing", "os.system", Withheld},
		{"keras-class", "keras.layers.Dense", "keras.layers.Dense"},
		{"keras-class", "keras.layers.TFSMLayer", "keras.layers.TFSMLayer"},
		{"keras-class", "keras.layers.JaneDoe", Withheld},
		{"keras-class", "JaneDoe.TFSMLayer", Withheld},
		{"keras-lambda", "Lambda", "Lambda"},
		{"keras-lambda", "Lambda jane_doe", Withheld},
		{"keras-function", "tensorflow.io.read_file", Withheld}, // all of a module is refused, this name stands nowhere
		{"graph-op", "ReadFile", "ReadFile"},
		{"graph-op", "com.microsoft::PyOp", "com.microsoft::PyOp"},
		{"graph-op", "JaneDoe", Withheld},
		{"graph-op", "com.microsoft::JaneDoe", Withheld},
		{"graph-invalid", "Abs", Withheld},
		{"skops-type", "os.system", "os.system"},
		{"yaml-target", "subprocess.Popen", "subprocess.Popen"},
		{"yaml-target", "subprocess.jane_doe", Withheld},
		{"torch-op", "aten::from_file", "aten::from_file"},
		{"torch-op", "jane::doe", Withheld},
		{"source-call", "os.system(rm -rf jane)", "os.system"},
		{"source-call", "print(jane)", Withheld},
		{"source-hidden", "curl jane | sh", Withheld},
		{"of-tomorrow", "os.system", Withheld},
		{"broken", "the name Jane Doe is odd", Withheld},
	} {
		if got := told(t, c.rule, c.what); got != c.want {
			t.Errorf("%s %q is told as %q, want %q", c.rule, c.what, got, c.want)
		}
	}
}

// TestQuietMerges counts what is the same once it is withheld, and keeps apart
// what is not.
func TestQuietMerges(t *testing.T) {
	rule := &Rule{ID: "pickle-global"}
	r := &Report{Verdict: Malicious, Findings: []Finding{
		{Rule: rule, Verdict: Malicious, Offset: 3, What: "os.system", Times: 2},
		{Rule: rule, Verdict: Suspicious, Offset: 5, What: "jane.Doe", Why: "jane", Mend: "jane", Trace: []string{"jane"}, Times: 1},
		{Rule: rule, Verdict: Suspicious, Offset: 7, What: "john.Doe", Times: 4},
		{Rule: rule, Verdict: Suspicious, Offset: 9, What: "john.Doe", Member: "john", Times: 1},
		{Rule: rule, Verdict: Suspicious, Offset: 9, What: "jim.Doe", Times: 1, Waiver: "rosa"},
	}}
	q := Quiet(r)
	var got []string
	for _, f := range q.Findings {
		text, _ := json.Marshal(f)
		got = append(got, string(text))
	}
	const why = `"why":"The pickle names code that is not known to be harmless."`
	want := []string{
		`{"rule":"pickle-global","verdict":"malicious","offset":3,"what":"os.system",` + why + `,"times":2}`,
		`{"rule":"pickle-global","verdict":"suspicious","offset":5,"what":"withheld",` + why + `,"times":5}`,
		`{"rule":"pickle-global","verdict":"suspicious","member":"withheld","offset":9,"what":"withheld",` + why + `,"times":1}`,
		`{"rule":"pickle-global","verdict":"suspicious","offset":9,"what":"withheld",` + why + `,"times":1,"waiver":"rosa"}`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(r.Findings) != 5 || r.Findings[1].What != "jane.Doe" {
		t.Errorf("the report itself has changed: %+v", r.Findings)
	}
}

// FuzzQuiet says anything in every text of a finding of every rule, and wants
// nothing of it to be told but what stands on a list.
func FuzzQuiet(f *testing.F) {
	for _, s := range []string{"patient.Jane_Doe", "os.Jane_Doe", "os.system(Jane", "Jane ×3", "withheld(", "aten::jane\x00", "é.é", "..", "Lambda Jane"} {
		f.Add(s, uint16(3))
	}
	f.Fuzz(func(t *testing.T, s string, n uint16) {
		all := Rules()
		full := &Report{Globals: []string{s, "os " + s, s + " system"}, Findings: []Finding{
			{Rule: all[int(n)%len(all)], Verdict: Suspicious, What: s, Why: s, Member: s, Mend: s, Trace: []string{s}, Times: 1},
		}}
		q := Quiet(full)
		said := append([]string{q.Findings[0].What}, q.Globals...)
		for _, what := range said {
			if what != Withheld && !listed(strings.Replace(what, " ", ".", 1)) {
				t.Errorf("%q is told", what)
			}
		}
		quoted := q.Findings[0]
		if m := quoted.Member; m != Withheld && m != "" || quoted.Why != all[int(n)%len(all)].Title || quoted.Mend != "" || quoted.Trace != nil {
			t.Errorf("%+v is told", quoted)
		}
		if twice := Quiet(again(t, q)); !reflect.DeepEqual(again(t, twice), again(t, q)) {
			t.Errorf("quiet twice is %+v, once %+v", twice, q)
		}
	})
}
