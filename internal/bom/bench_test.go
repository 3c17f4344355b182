package bom

import (
	"fmt"
	"testing"

	"github.com/sallyport/sallyport/internal/lockfile"
)

// BenchmarkRead reads bills of 200 packages of three files each, which is what
// a re-check of stored bills does with each of them.
func BenchmarkRead(b *testing.B) {
	list := &lockfile.List{}
	for i := range 200 {
		p := lockfile.Package{Name: fmt.Sprintf("package-%03d", i), Version: fmt.Sprintf("1.%d.0", i), Place: lockfile.Place{File: "uv.lock", Line: 10 * i}, Direct: i < 20}
		for j := range 3 {
			p.Hashes = append(p.Hashes, hashOf(fmt.Sprint(i, j)))
			p.Needs = append(p.Needs, lockfile.Need{Name: fmt.Sprintf("package-%03d", (i*7+j)%200)})
		}
		list.Packages = append(list.Packages, p)
	}
	for _, format := range Formats {
		b.Run(format, func(b *testing.B) {
			data := write(b, format, Doc{Name: "app", List: list})
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if got, err := Read("b", data); err != nil || len(got.Packages) != 200 {
					b.Fatal(err)
				}
			}
		})
	}
}
