package run

import (
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/sandbox"
)

// Merged returns the run's stages with the shards of each as one, for who looks
// at the whole: times and counts added up, the most memory, everything that was
// written. Its status is that of the shard that says most: the first that did
// not finish. What another run had cost is not counted.
func (r *Record) Merged() []Stage {
	var out []Stage
	for _, st := range r.Stages {
		if st.Kept != "" {
			st.Usage, st.Network = sandbox.Usage{}, Network{}
		}
		if st.Shard <= 1 {
			if st.Shard == 1 {
				st.Name, st.Outputs = project.Named(st.Name), slices.Clip(st.Outputs)
			}
			out = append(out, st)
			continue
		}
		all := &out[len(out)-1]
		all.Shard = st.Shard
		if all.Status == Finished {
			all.Status, all.Why, all.Exit = st.Status, st.Why, st.Exit
		}
		u, more := &all.Usage, st.Usage
		u.Wall, u.User, u.System = u.Wall+more.Wall, u.User+more.User, u.System+more.System
		u.Read, u.Written, u.Memory = u.Read+more.Read, u.Written+more.Written, max(u.Memory, more.Memory)
		n := &all.Network
		n.Attempts, n.Allowed = n.Attempts+st.Network.Attempts, n.Allowed+st.Network.Allowed
		n.Distinct, n.Unlisted = n.Distinct+st.Network.Distinct, n.Unlisted+st.Network.Unlisted
		all.Outputs = append(all.Outputs, st.Outputs...)
	}
	return out
}

// sumData completes what the run says of its datasets by what its stages saw:
// one stage that saw all of a sample, or the shards of it together. Their
// Selection commits to those of the shards, in order.
func (r *Record) sumData() {
	for i := range r.Data {
		sum := r.Data[i]
		sum.Records, sum.Subjects, sum.Bytes = 0, 0, 0
		var selections strings.Builder
		stage := ""
		for _, st := range r.Stages {
			at := slices.IndexFunc(st.Data, func(d Data) bool { return d.Path == sum.Path })
			if at < 0 || st.Data[at].Selection == "" {
				continue
			}
			d := st.Data[at]
			if st.Shard == 0 {
				sum, stage = d, ""
				break
			}
			if stage == "" {
				stage = project.Named(st.Name)
			}
			if project.Named(st.Name) != stage {
				continue // another stage's shards, of the same records
			}
			sum.Records, sum.Subjects, sum.Bytes = sum.Records+d.Records, sum.Subjects+d.Subjects, sum.Bytes+d.Bytes
			selections.WriteString(string(d.Selection))
		}
		if stage != "" {
			sum.Selection = sallyport.Sum([]byte(selections.String()))
		}
		r.Data[i] = sum
	}
}
