package project

import "testing"

// What two shards, or a shard and another stage, write never gets the same path,
// and lies in the place that the stage declares.
func TestShards(t *testing.T) {
	p, err := parse([]byte(`project: x
data: {people.csv: people}
stages:
  train: {run: x, reads: [people.csv], writes: [model/, more/in/], metrics: metrics/train.json, shards: 12}
  combine: {run: y, after: [train], reads: [model/, metrics/train/], writes: [ensemble/]}
`), in())
	if err != nil {
		t.Fatal(err)
	}
	stages, err := p.Order("combine")
	if err != nil || len(stages) != 13 {
		t.Fatalf("%d stages, %v", len(stages), err)
	}
	if last := stages[12]; last.Title() != "combine" || last.Kept("ensemble/a") != "ensemble/a" {
		t.Errorf("what is not sharded is %q and keeps %s", last.Title(), last.Kept("ensemble/a"))
	}
	st := stages[10]
	if st.Title() != "train#11" || Named(st.Title()) != "train" || st.Shard != 11 || st.Shards != 12 {
		t.Errorf("the eleventh is %+v", st)
	}
	for written, want := range map[string]string{
		"model/a/b.onnx":     "model/shard-011/a/b.onnx",
		"more/in/c":          "more/in/shard-011/c",
		"metrics/train.json": "metrics/train/shard-011.json",
	} {
		if got := st.Kept(written); got != want {
			t.Errorf("%s is kept as %s, want %s", written, got, want)
		}
	}
	for written, want := range map[string]string{"metrics": "metrics/shard-011", "a/.json": "a/.json/shard-011"} {
		if got := st.Kept(written); got != want {
			t.Errorf("%s is kept as %s, want %s", written, got, want)
		}
	}
}
