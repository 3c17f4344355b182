package dataset

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport"
)

// A Source is what a dataset is added from. A table needs Subject; a tree
// needs Pattern, whose first capture group, found in the slash path of a file
// relative to Path, is the subject. Both may be left out for a dataset that
// exists already. An empty Format is told from name and content.
type Source struct {
	Path    string
	Subject string
	Pattern *regexp.Regexp
	Format  string
}

// describe returns the dataset that src would make, after looking at it.
func (src *Source) describe(name string) (*Dataset, error) {
	info, err := os.Stat(src.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, sallyport.Errorf(sallyport.NotFound, "there is no such file or folder").At("%s", src.Path)
	} else if err != nil {
		return nil, sallyport.Errorf(sallyport.Invalid, "it cannot be read: %w", err).At("%s", src.Path)
	}
	d := &Dataset{Name: name, Format: src.Format, Subject: strings.ToValidUTF8(src.Subject, "\ufffd")}
	if src.Pattern != nil {
		d.Pattern = src.Pattern.String()
	}
	switch {
	case info.IsDir() && (d.Format == Tree || d.Format == ""):
		d.Format = Tree
	case info.IsDir():
		return nil, sallyport.Errorf(sallyport.Usage, "a folder is not %s", d.Format).At("%s", src.Path).
			Try("leave the format out, or give one file")
	case !info.Mode().IsRegular():
		return nil, sallyport.Errorf(sallyport.Invalid, "it is neither a regular file nor a folder").At("%s", src.Path)
	case d.Format == Tree:
		return nil, sallyport.Errorf(sallyport.Usage, "a file is not a tree").At("%s", src.Path).
			Try("leave the format out, or give a folder")
	case d.Format == "":
		if d.Format, err = src.sniff(); err != nil {
			return nil, err
		}
	case d.Format != CSV && d.Format != TSV && d.Format != JSONL:
		return nil, sallyport.Errorf(sallyport.Usage, "no format is named %q", d.Format).
			Try("choose from csv, tsv, jsonl, tree")
	}
	return d, nil
}

var extensions = map[string]string{".csv": CSV, ".tsv": TSV, ".tab": TSV, ".jsonl": JSONL, ".ndjson": JSONL}

// packed is how files begin that have to be unpacked first.
var packed = map[string]string{"\x1f\x8b": "gzip", "PK\x03\x04": "zip", "\x28\xb5\x2f\xfd": "zstd", "BZh": "bzip2", "\xfd7zXZ": "xz"}

// sniff tells the format of a file from its name or else its first line.
func (src *Source) sniff() (string, error) {
	f, err := os.Open(src.Path)
	if err != nil {
		return "", sallyport.Errorf(sallyport.Invalid, "it cannot be read: %w", err).At("%s", src.Path)
	}
	defer f.Close()
	head := make([]byte, 64<<10)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", sallyport.Errorf(sallyport.Invalid, "it cannot be read: %w", err).At("%s", src.Path)
	}
	head = head[:n]
	for magic, what := range packed {
		if bytes.HasPrefix(head, []byte(magic)) {
			return "", sallyport.Errorf(sallyport.Invalid, "it is compressed (%s)", what).At("%s", src.Path).
				Try("unpack it first")
		}
	}
	if f, ok := extensions[strings.ToLower(filepath.Ext(src.Path))]; ok {
		return f, nil
	}
	line, _, _ := bytes.Cut(bytes.TrimLeft(bytes.TrimPrefix(head, bom), "\r\n"), []byte("\n"))
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(line), []byte("{")):
		return JSONL, nil
	case bytes.Count(line, []byte("\t")) > bytes.Count(line, []byte(",")):
		return TSV, nil
	case bytes.Contains(line, []byte(",")):
		return CSV, nil
	}
	return "", sallyport.Errorf(sallyport.Invalid, "neither name nor first line tells what it is").At("%s", src.Path).
		Try("say which with --format csv, tsv or jsonl")
}

// agree completes d from the dataset that exists under its name, and returns an
// error if they contradict each other. Subjects must mean the same in all
// versions, or a person could not be taken out of all of them.
func (d *Dataset) agree(old *Dataset) error {
	if d.Subject == "" {
		d.Subject = old.Subject
	}
	if d.Pattern == "" {
		d.Pattern = old.Pattern
	}
	if d.Format != old.Format || d.Subject != old.Subject || d.Pattern != old.Pattern {
		by := old.Subject
		if old.Format == Tree {
			by = "a pattern over paths"
		}
		return sallyport.Errorf(sallyport.Usage, "dataset %s is %s with subjects by %s, and this is not", old.Name, old.Format, by).
			Try("leave format and subject out, or add it under another name")
	}
	d.Created, d.By, d.Epoch = old.Created, old.By, old.Epoch
	return nil
}

// check returns an error if d lacks what says whose records it holds.
func (d *Dataset) check(path string) error {
	if d.Format != Tree {
		if d.Pattern != "" {
			return sallyport.Errorf(sallyport.Usage, "a pattern is for folders; this is %s", d.Format).At("%s", path).
				Try("name the column that holds the subject with --subject")
		}
		return nil
	}
	if d.Subject != "" {
		return sallyport.Errorf(sallyport.Usage, "a folder has no columns").At("%s", path).
			Try("give a pattern with --subject-pattern, such as '^patients/([0-9]+)/'")
	}
	if d.Pattern == "" {
		return sallyport.Errorf(sallyport.Usage, "it does not say whose files these are").At("%s", path).
			Try("give a pattern with --subject-pattern, such as '^patients/([0-9]+)/'")
	}
	if re, err := regexp.Compile(d.Pattern); err != nil || re.NumSubexp() < 1 {
		return sallyport.Errorf(sallyport.Usage, "the pattern has no group in parentheses that is the subject").At("%s", path).
			Try("give one such as '^patients/([0-9]+)/'")
	}
	return nil
}

// A feed reads a file once, from its beginning, and knows how much has passed. It
// notices a file that changes meanwhile.
type feed struct {
	ctx      context.Context
	file     *os.File
	info     fs.FileInfo
	done     int64
	progress func(done, total int64)
}

// feedStep is how much is read at once: enough to make calls cheap, little enough
// to work on what is still in the processor's cache.
const feedStep = 512 << 10

func (f *feed) Read(b []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, sallyport.Errorf(sallyport.Interrupted, "stopped before everything was read; nothing was changed")
	}
	n, err := f.file.Read(b[:min(len(b), feedStep)])
	f.done += int64(n)
	if f.progress != nil {
		f.progress(f.done, f.info.Size())
	}
	if err != nil && err != io.EOF {
		err = sallyport.Errorf(sallyport.Invalid, "it cannot be read: %w", err).At("%s", f.file.Name())
	}
	return n, err
}

// steady returns an error if the file is not what it was when it was opened.
func (f *feed) steady() error {
	now, err := f.file.Stat()
	if err == nil && f.done == f.info.Size() && now.Size() == f.info.Size() && now.ModTime().Equal(f.info.ModTime()) {
		return nil
	}
	return sallyport.Errorf(sallyport.Invalid, "it changed while it was read; nothing was kept").At("%s", f.file.Name()).
		Try("add it again when nothing writes to it")
}
