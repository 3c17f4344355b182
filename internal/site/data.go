package site

import (
	"context"
	"os"
	"path/filepath"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
)

// A Taking is the document of an object "data-taking": that somebody took a
// version of a dataset out of the site in the clear.
type Taking struct {
	Data string `json:"data"` // name@version
	By   string `json:"by"`
}

// free reports whether something can be written to dst, before the ledger says
// that it was.
func free(dst string) error {
	if _, err := os.Lstat(dst); err == nil || dst == "" {
		return sallyport.Errorf(sallyport.Usage, "there is something already").At("%s", dst).Try("choose another place with -o")
	}
	if info, err := os.Stat(filepath.Dir(filepath.Clean(dst))); err != nil || !info.IsDir() {
		return sallyport.Errorf(sallyport.NotFound, "there is no folder to put it in").At("%s", dst).Try("make the folder first")
	}
	return nil
}

// TakeData writes a version of a dataset to dst in the clear. That it was taken
// is in the ledger before the first byte leaves.
func (s *Site) TakeData(ctx context.Context, ref sallyport.Ref, dst string, progress func(done, total int64)) (*dataset.Version, error) {
	if err := s.Who.May(sallyport.OpenData); err != nil {
		return nil, err
	}
	data := s.Data()
	v, err := data.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := free(dst); err != nil {
		return nil, err
	}
	if err := s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		_, err := tx.Put("data.taken", "data-taking", seal.NewName(), Taking{v.Ref().String(), s.Who.Name}, nil)
		return err
	}); err != nil {
		return nil, err
	}
	return v, data.Get(ctx, v.Ref(), dst, progress)
}
