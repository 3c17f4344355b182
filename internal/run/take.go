package run

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/seal"
)

// Taking is the document of an object "model-taking": that somebody took an artefact
// folder of a run out of the site.
type Taking struct {
	Run    string `json:"run"`
	Folder string `json:"folder"`
	By     string `json:"by"`
	Alone  bool   `json:"alone"` // who took it had also run it
}

// Take writes an artefact folder of a finished run, with its signature and its
// evidence, to dst, which must not exist. That it was taken is in the ledger
// before the first byte leaves.
func (s *Service) Take(ctx context.Context, r *Record, folder, dst string) (*Taking, error) {
	if err := s.Who.May(sallyport.TakeModel); err != nil {
		return nil, err
	}
	if !slices.Contains(r.Folders(), folder) {
		return nil, sallyport.Errorf(sallyport.NotFound, "run %s has no artefact folder %q", r.ID, folder).
			Try("it has: %s", strings.Join(r.Folders(), ", "))
	}
	if r.Status == Blocked {
		return nil, sallyport.Errorf(sallyport.Denied, "run %s is blocked: an artefact did not pass the scan", r.ID).
			Try("see what was found with: sallyport runs show %s", r.ID)
	}
	if r.Status != Finished {
		return nil, sallyport.Errorf(sallyport.Usage, "run %s did not finish, so nothing of it was signed", r.ID).Try("choose a finished run: sallyport runs")
	}
	if r.Erased != nil {
		return nil, destroyed().At("run %s", r.ID)
	}
	tmp, err := beside(dst)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	t := &Taking{Run: r.ID, Folder: folder, By: s.Who.Name, Alone: s.Who.Name == r.By}
	if err := s.Log.Update(ctx, s.Who.Name, func(tx *ledger.Tx) error {
		_, err := tx.Put("model.taken", "model-taking", seal.NewName(), t, nil)
		return err
	}); err != nil {
		return nil, err
	}
	if err := s.write(ctx, r, folder, tmp); err != nil {
		return nil, err
	}
	if err := os.Rename(tmp, dst); err != nil {
		return nil, sallyport.Errorf(sallyport.Invalid, "cannot write there: %w", err).At("%s", dst)
	}
	return t, nil
}

// beside makes a folder next to dst, where nothing may be, to be renamed to it:
// dst is whole or not there.
func beside(dst string) (string, error) {
	if dst == "" {
		return "", sallyport.Errorf(sallyport.Usage, "there is no place to write to").Try("name one with -o")
	}
	if _, err := os.Lstat(dst); err == nil {
		return "", sallyport.Errorf(sallyport.Usage, "there is something already").At("%s", dst).Try("choose another place with -o")
	}
	tmp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dst)), ".sallyport-take-*")
	if err == nil {
		err = os.Chmod(tmp, 0o755)
	}
	if err != nil {
		return "", sallyport.Errorf(sallyport.Invalid, "cannot write there: %w", err).At("%s", dst).Try("choose another place with -o")
	}
	return tmp, nil
}

// write lays the folder out in dir.
func (s *Service) write(ctx context.Context, r *Record, folder, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, a := range r.below(folder) {
		if err := s.writeArtefact(ctx, root, a); err != nil {
			return err
		}
	}
	return s.writeEvidence(ctx, root, r, folder)
}

func (s *Service) writeArtefact(ctx context.Context, root *os.Root, a Artefact) error {
	if err := root.MkdirAll(path.Dir(a.Path), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(a.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, os.FileMode(a.Mode)&0o755|0o400)
	if err != nil {
		return err
	}
	if err := s.read(ctx, a.Stored, f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// writeEvidence writes the signature, the provenance, the results of the scan and
// of the check of dependencies, and the ledger entry that holds the digests of
// the four with the proof that it is in the ledger.
func (s *Service) writeEvidence(ctx context.Context, root *os.Root, r *Record, folder string) error {
	if err := root.Mkdir(evidence.Dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{evidence.SignatureFile, evidence.ProvenanceFile, evidence.ScanFile, evidence.VulnsFile} {
		text, err := s.evidenceOf(ctx, r, folder+"/"+name)
		if err != nil {
			return err
		}
		if err := root.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	entry, err := s.Entry(ctx, r.ID)
	if err != nil {
		return err
	}
	proof, leaf, err := s.Log.Proof(ctx, entry.N)
	if err != nil {
		return err
	}
	if err := root.WriteFile(evidence.EntryFile, leaf, 0o644); err != nil {
		return err
	}
	return root.WriteFile(evidence.ProofFile, proof, 0o644)
}

// evidenceOf returns a piece of evidence of a run, checked against its digest.
func (s *Service) evidenceOf(ctx context.Context, r *Record, name string) ([]byte, error) {
	digest, ok := r.Evidence[name]
	if !ok {
		return nil, sallyport.Errorf(sallyport.NotFound, "run %s has no evidence %s", r.ID, name)
	}
	var e Evidence
	err := s.Log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("evidence", digest.Hex(), &e) })
	if err == nil && sallyport.Sum(e.Text) != digest {
		err = sallyport.Errorf(sallyport.Corrupt, "the evidence is not what the ledger vouches for").At("evidence %s", name)
	}
	return e.Text, err
}

// Folders lists the artefact folders of a run, each once: shards share one.
func (r *Record) Folders() []string {
	var all []string
	for _, st := range r.Stages {
		for _, f := range st.Folders {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all
}
