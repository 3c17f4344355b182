package scan

import (
	"cmp"
	"slices"

	"github.com/sallyport/sallyport/internal/inspect"
	"github.com/sallyport/sallyport/internal/inspect/archives"
	"github.com/sallyport/sallyport/internal/inspect/configs"
	"github.com/sallyport/sallyport/internal/inspect/graphs"
	"github.com/sallyport/sallyport/internal/inspect/keras"
	"github.com/sallyport/sallyport/internal/inspect/pickles"
	"github.com/sallyport/sallyport/internal/inspect/sources"
	"github.com/sallyport/sallyport/internal/inspect/tensors"
	"github.com/sallyport/sallyport/internal/inspect/trees"
)

// readings are all formats that are known, in the order in which they are tried.
func readings() []inspect.Reading {
	return slices.Concat(archives.Readings, pickles.Readings, tensors.Readings, graphs.Readings(), keras.Readings,
		configs.Readings, trees.Readings, sources.Readings)
}

// Rules lists every rule that a scan may report, by ID.
func Rules() []*Rule {
	all := slices.Concat(inspect.Rules, archives.Rules, pickles.Rules, tensors.Rules, graphs.Rules, keras.Rules,
		configs.Rules, trees.Rules, sources.Rules, []*Rule{ruleLink})
	slices.SortFunc(all, func(a, b *Rule) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
