package lockfile

import "slices"

// maxWay bounds a chain that Ways returns. The longest real ones have some ten
// names, and all of them together are kept.
const maxWay = 40

// Ways returns, for each package that something else needs, a shortest chain of
// names that leads to it from what the project asks for: of each chain that Why
// returns the first, for all packages in one walk. A chain that is longer than
// anybody reads has an ellipsis before its end.
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
			way := slices.Clone(ways[l.Packages[from[at]].Name])
			if len(way) >= maxWay {
				way = append(way[:maxWay-2], "…")
			}
			ways[name] = append(way, name)
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
