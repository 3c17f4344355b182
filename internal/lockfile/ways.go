package lockfile

import "slices"

// Ways returns, for each package that something else needs, a shortest chain of
// names that leads to it from what the project asks for: of each chain that Why
// returns the first, for all packages in one walk.
func (l *List) Ways() map[string][]string {
	g := l.graph()
	from := slices.Repeat([]int{-1}, len(g.needs))
	queue := slices.Clone(g.tops)
	for _, top := range g.tops {
		from[top] = top
	}
	ways := map[string][]string{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		name := l.Packages[at].Name
		if _, ok := ways[name]; !ok {
			ways[name] = append(slices.Clone(ways[l.Packages[from[at]].Name]), name)
		}
		for _, to := range g.needs[at] {
			if from[to] < 0 {
				from[to] = at
				queue = append(queue, to)
			}
		}
	}
	return ways
}
