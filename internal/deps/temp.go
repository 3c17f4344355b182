package deps

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/sallyport/sallyport"
)

// A tempFile is removed when it is closed. What it holds is public.
type tempFile struct{ *os.File }

func temp() (tempFile, error) {
	f, err := os.CreateTemp("", "sallyport-advisories-")
	return tempFile{f}, err
}

func (t tempFile) close() {
	if t.File != nil {
		t.File.Close()
		os.Remove(t.File.Name())
	}
}

// digestOf hashes a file from its beginning to its end.
func digestOf(f *os.File) (sallyport.Digest, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return sallyport.ParseDigest("sha256:" + hex.EncodeToString(h.Sum(nil)))
}
