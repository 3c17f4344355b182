package run

import (
	"slices"
	"testing"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/sandbox"
)

// sharded is a run of a stage that reads everything, one in three shards that
// reads its output and a dataset, one in two shards that reads the dataset alone,
// and one that combines the latter.
func sharded() Record {
	data := func(records int64) []Data {
		return []Data{{Path: "p.csv", Version: "p@1", Selection: sallyport.Sum([]byte{byte(records)}), Records: records, Subjects: 1, Whole: 60}}
	}
	segment := int64(0)
	use := sandbox.Usage{Wall: time.Second, Memory: 7}
	st := func(name string, shard int, d []Data, from ...string) Stage {
		segment++
		return Stage{Name: name, Shard: shard, Status: Finished, Usage: use, Data: d, From: from,
			Outputs: []Artefact{{Path: name, Stored: Stored{Size: 1, Segments: []int64{segment}}}}}
	}
	return Record{ID: "r", Status: Finished, Data: []Data{{Path: "p.csv", Version: "p@1", Whole: 60}}, Stages: []Stage{
		st("words", 0, nil),
		st("deep#1", 1, data(10), "words"), st("deep#2", 2, data(20), "words"), st("deep#3", 3, data(30), "words"),
		st("flat#1", 1, data(25)), st("flat#2", 2, data(35)),
		st("combine", 0, nil, "flat#1", "flat#2"),
	}}
}

func TestTouched(t *testing.T) {
	in := func(of map[int][]int) func(string, int) ([]int, error) {
		return func(_ string, n int) ([]int, error) { return of[n], nil }
	}
	for name, tc := range map[string]struct {
		edit  func(*Record)
		dealt map[int][]int // by number of shards
		want  []string
	}{
		"one person":  {nil, map[int][]int{1: {1}, 3: {2}, 2: {1}}, []string{"deep#2", "flat#1", "combine"}},
		"two people":  {nil, map[int][]int{1: {1, 1}, 3: {2, 3}, 2: {1, 1}}, []string{"deep#2", "deep#3", "flat#1", "combine"}},
		"many people": {func(r *Record) { r.Stages = r.Stages[4:] }, map[int][]int{2: {1, 2, 1}}, nil},
		"a stage before all shards saw them": {func(r *Record) { r.Stages[0].Data = r.Stages[1].Data },
			map[int][]int{1: {1}, 3: {2}, 2: {1}}, []string{"words", "deep#1", "deep#2", "deep#3", "flat#1", "combine"}},
		"no shards":          {func(r *Record) { r.Stages = r.Stages[6:] }, map[int][]int{1: {1}}, nil},
		"it did not finish":  {func(r *Record) { r.Status = Failed }, map[int][]int{3: {2}, 2: {1}}, nil},
		"a number of people": {func(r *Record) { r.Sample.Subjects = 9 }, map[int][]int{3: {2}, 2: {1}}, nil},
	} {
		r := sharded()
		if tc.edit != nil {
			tc.edit(&r)
		}
		got, err := r.Touched(in(tc.dealt))
		if err != nil || !slices.Equal(got, tc.want) || (got == nil) != (tc.want == nil) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, tc.want)
		}
	}
}

// What is doomed and what is spared are everything, and nothing is both.
func TestSpared(t *testing.T) {
	r := sharded()
	all := r.Doomed(Erased{})
	if len(all) != len(r.Stages) {
		t.Fatalf("of %d stages %v are doomed", len(r.Stages), all)
	}
	why := Erased{Stages: []string{"deep#2", "flat#1", "combine"}}
	doomed := r.Doomed(why)
	r.Erased = &why
	spared := r.spared()
	if len(doomed) != 3 || len(spared) != 4 || !r.Spared() {
		t.Fatalf("%v are doomed, %v are spared", doomed, spared)
	}
	for _, st := range spared {
		if slices.Contains(doomed, st.Outputs[0].Segments[0]) {
			t.Errorf("%s is spared, and doomed", st.Name)
		}
	}
	r.Erased = nil
	if r.Spared() || len(r.spared()) != 0 {
		t.Error("of a run that was not erased something waits")
	}
}

func TestMerged(t *testing.T) {
	r := sharded()
	r.Stages[2].Status, r.Stages[2].Kept, r.Stages[3].Status = Finished, "before", Failed
	var names []string
	for _, st := range r.Merged() {
		names = append(names, st.Name)
		if st.Name != "deep" {
			continue
		}
		if st.Shard != 3 || st.Status != Failed || len(st.Outputs) != 3 {
			t.Errorf("the shards together are %+v", st)
		}
		if st.Usage.Wall != 2*time.Second || st.Usage.Memory != 7 {
			t.Errorf("they took %+v, and one of them is of another run", st.Usage)
		}
	}
	if want := []string{"words", "deep", "flat", "combine"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	if len(r.Stages[1].Outputs) != 1 || r.Stages[1].Name != "deep#1" {
		t.Errorf("merging has changed the record: %+v", r.Stages[1])
	}
}

// A dataset that only shards read was read by all of one stage's together, and
// not twice because two stages are sharded.
func TestSumData(t *testing.T) {
	r := sharded()
	r.sumData()
	d := r.Data[0]
	if d.Records != 60 || d.Subjects != 3 || d.Whole != 60 || d.Selection == "" {
		t.Errorf("three shards saw %+v", d)
	}
	whole := d
	whole.Records, whole.Subjects, whole.Selection = 60, 50, sallyport.Sum([]byte("whole"))
	r.Stages[6].Data = []Data{whole}
	if r.sumData(); r.Data[0] != whole {
		t.Errorf("a stage that saw everything saw %+v", r.Data[0])
	}
}
