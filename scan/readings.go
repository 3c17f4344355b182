package scan

import (
	"cmp"
	"slices"

	"github.com/sallyport/sallyport/internal/inspect"
)

// readings are all formats that are known, in the order in which they are tried.
func readings() []inspect.Reading {
	return slices.Concat[[]inspect.Reading]()
}

// Rules lists every rule that a scan may report, by ID.
func Rules() []*Rule {
	all := slices.Concat(inspect.Rules, []*Rule{ruleLink})
	slices.SortFunc(all, func(a, b *Rule) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
