package run

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// A Forecast says what a stage will need for all the records, from rehearsals
// on fewer.
type Forecast struct {
	Stage   string        `json:"stage"`
	Records int64         `json:"records"` // of the whole
	Wall    time.Duration `json:"wall"`    // nanoseconds
	Memory  int64         `json:"memory"`  // bytes at the peak
	Sizes   []int64       `json:"sizes"`   // records of the runs it is fitted to, ascending
}

// Forecast looks at every finished run that did the same as r (project, stages,
// their commands, parameters and environment), on fewer records or all, and fits
// time and memory of each stage. It returns nothing unless two sizes or more are known, or if
// r saw everything.
func (s *Service) Forecast(ctx context.Context, r *Record) ([]Forecast, error) {
	seen, whole := r.Size()
	if seen == whole || whole == 0 || r.Status != Finished {
		return nil, nil
	}
	var like []Record
	if err := s.each(ctx, func(o Record) {
		if o.Status == Finished && !o.kept() && sameWork(r, &o) {
			like = append(like, o)
		}
	}); err != nil {
		return nil, err
	}
	var out []Forecast
	for i, st := range r.Merged() {
		var wall, memory []point
		for _, o := range like {
			n, _ := o.Size()
			usage := o.Merged()[i].Usage
			wall = append(wall, point{float64(n), float64(usage.Wall)})
			memory = append(memory, point{float64(n), float64(usage.Memory)})
		}
		sizes := distinct(wall)
		if len(sizes) < 2 {
			return nil, nil
		}
		out = append(out, Forecast{
			Stage: st.Name, Records: whole, Sizes: sizes,
			Wall:   time.Duration(extend(wall, float64(whole))),
			Memory: int64(extend(memory, float64(whole))),
		})
	}
	return out, nil
}

// sameWork reports whether two runs executed the same commands.
func sameWork(a, b *Record) bool {
	if a.Project != b.Project || !maps.Equal(a.Params, b.Params) {
		return false
	}
	if (a.Environment == nil) != (b.Environment == nil) || a.Environment != nil && a.Environment.ID != b.Environment.ID {
		return false
	}
	return slices.EqualFunc(a.Stages, b.Stages, func(x, y Stage) bool {
		return x.Name == y.Name && x.Command == y.Command
	})
}

// A point is a measurement: y at x records.
type point struct{ x, y float64 }

// extend fits y = a + b·x by least squares and returns y at x. A stage does not
// get cheaper with more records, so b is never negative: what falls is noise,
// and the largest measurement stands.
func extend(ps []point, x float64) float64 {
	var n, sx, sy, sxx, sxy, top float64
	for _, p := range ps {
		n, sx, sy, sxx, sxy = n+1, sx+p.x, sy+p.y, sxx+p.x*p.x, sxy+p.x*p.y
		top = max(top, p.y)
	}
	b := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	if b <= 0 {
		return top
	}
	return max(top, (sy-b*sx)/n+b*x)
}

func distinct(ps []point) []int64 {
	var xs []int64
	for _, p := range ps {
		xs = append(xs, int64(p.x))
	}
	slices.SortFunc(xs, cmp.Compare)
	return slices.Compact(xs)
}
