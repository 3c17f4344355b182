package ledger

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"github.com/sallyport/sallyport"
)

// sector is the least that a disk writes as one. A remembered checkpoint is
// padded to a multiple of it, and is one sector unless the origin is very long:
// a power cut leaves the old one or the new one.
const sector = 512

// readTries is how often a remembered checkpoint is read before it counts as
// changed, because another process may be in the middle of overwriting it.
const readTries = 5

// recall reads the remembered checkpoint; the zero head says nothing. It must
// be read before the snapshot that is compared with it: the file is written
// after the commit, so a database that is read later is never behind.
func (l *Log) recall() (head, error) {
	if l.memory == "" {
		return head{}, nil
	}
	var failed error
	for range readTries {
		msg, err := os.ReadFile(l.memory)
		if errors.Is(err, fs.ErrNotExist) {
			return head{}, nil
		}
		if err != nil {
			return head{}, sallyport.Errorf(sallyport.Unknown, "the remembered checkpoint cannot be read: %w", err).At("%s", l.memory)
		}
		msg = bytes.TrimRight(msg, "\x00")
		if len(msg) == 0 {
			// A power cut can leave a new file without its bytes: it says
			// as little as none.
			return head{}, nil
		}
		h, err := openCheckpoint(msg, l.verifier)
		if err == nil {
			return h, nil
		}
		failed = err
	}
	return head{}, sallyport.Errorf(sallyport.Corrupt, "the remembered checkpoint is not one that this site signed: %w", failed).
		At("%s", l.memory).Try("find out who changed it; without the file, nobody notices a ledger that is set back")
}

// remember overwrites the remembered checkpoint. It is called after the commit,
// so the file is never ahead of the database, which is what would mean alarm.
// It may fail, or be overtaken by another process, without harm: a file that is
// behind still notices everything up to its own entry. For the same reason it
// need not be on the disk before Update returns, and it is overwritten in place
// because a rename would make the next commit wait for it.
func (l *Log) remember(h head) {
	if l.memory == "" {
		return
	}
	f, err := os.OpenFile(l.memory, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	pad := (sector - len(h.note)%sector) % sector
	f.WriteAt(append(bytes.Clone(h.note), make([]byte, pad)...), 0)
}
