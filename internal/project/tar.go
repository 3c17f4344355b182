package project

import (
	"archive/tar"
	"context"
	"io"
	"io/fs"
	"time"

	"github.com/sallyport/sallyport"
)

// WriteTar writes the files of the snapshot as a tar archive (POSIX.1-2001
// pax): in the order of Files, with zero times and owners, so that the same
// files always give the same bytes. Folders have no entries of their own. A
// file that is no longer what the snapshot saw is an error of kind Busy.
func (s *Snapshot) WriteTar(ctx context.Context, w io.Writer) error {
	tw := tar.NewWriter(w)
	for _, f := range s.Files {
		if ctx.Err() != nil {
			return sallyport.Errorf(sallyport.Interrupted, "interrupted while copying the code")
		}
		if err := s.writeEntry(tw, f); err != nil {
			return err
		}
	}
	if err := tw.Close(); err != nil {
		return sallyport.Errorf(sallyport.Internal, "cannot write the archive of the code: %w", err)
	}
	return nil
}

func (s *Snapshot) writeEntry(tw *tar.Writer, f File) error {
	h := &tar.Header{Name: f.Path, Format: tar.FormatPAX, ModTime: time.Unix(0, 0)}
	if f.Mode == fs.ModeSymlink {
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.link, 0o777
	} else {
		h.Typeflag, h.Size, h.Mode = tar.TypeReg, f.Size, int64(f.Mode.Perm())
	}
	if err := tw.WriteHeader(h); err != nil {
		return sallyport.Errorf(sallyport.Internal, "cannot write the archive of the code: %w", err).At("%s", f.Path)
	}
	if f.Mode == fs.ModeSymlink {
		return nil
	}
	digest, err := s.hash(f, tw)
	if sallyport.KindOf(err) == sallyport.Invalid || err == nil && digest != f.Digest {
		return changed(f.Path)
	}
	return err
}
