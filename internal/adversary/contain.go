package adversary

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// contain makes the file that the stream lies in, and sometimes damages it.
func (w *writer) contain(c *Case) {
	c.File, c.Name, c.Kind = c.Stream, pick(w, []string{"model.pkl", "model.bin", "model.joblib", "model"}), Raw
	c.promised = c.Name != "model"
	n := w.IntN(40)
	boxes := []struct {
		name string
		kind Kind
		wrap func(w *writer, name string, b []byte) (string, []byte)
	}{
		{"gzip", Gzip, inGzip},
		{"zlib", Zlib, inZlib},
		{"xz", XZ, inXZ},
		{"lzma", XZ, inLZMA},
		{"lz4", Raw, inLZ4},
		{"bzip2", Bzip2, nil}, // made by the oracle
		{"zip", Zip, inZip},
		{"torch", Zip, inTorch},
		{"tar", Tar, inTar},
		{"npy", NPY, inNPY},
		{"npz", Raw, func(w *writer, name string, b []byte) (string, []byte) {
			_, b = inNPY(w, name, b)
			return zipped(w, "a.npz", member{"arr_0.npy", b})
		}},
		{"tar.gz", Raw, func(w *writer, name string, b []byte) (string, []byte) {
			_, b = inTar(w, name, b)
			_, b = inGzip(w, name, b)
			return "model.tar.gz", b
		}},
		{"legacy torch", Raw, nil},
	}
	if n >= len(boxes) {
		return
	}
	box := boxes[n]
	special := box.name == "torch" || box.name == "npy" || box.name == "npz" || box.name == "legacy torch"
	if c.Intent == Honest && special {
		return // what is in those is not just any pickle
	}
	c.promised = special || c.promised && box.kind != Tar && box.name != "tar.gz" // where the member may have another name
	w.chose("in a file of", box.name)
	switch {
	case box.name == "legacy torch":
		c.Name, c.Stream = "pytorch_model.bin", legacy(c.Stream)
		c.File = c.Stream
		return
	case box.wrap == nil:
		c.Kind = box.kind
		return
	}
	c.Name, c.File = box.wrap(w, c.Name, c.Stream)
	if box.kind != Raw && c.Intent == Hostile && w.IntN(4) == 0 {
		c.Kind, c.damaged = box.kind, true
		c.File = w.mutate(c.File)
	}
}

func packed(to func(io.Writer) (io.WriteCloser, error), b []byte) []byte {
	var out bytes.Buffer
	z, err := to(&out)
	if err == nil {
		_, err = z.Write(b)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}

func inGzip(w *writer, name string, b []byte) (string, []byte) {
	return pick(w, []string{name, name + ".gz"}), packed(func(o io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(o, 1) }, b)
}

func inZlib(w *writer, name string, b []byte) (string, []byte) {
	return pick(w, []string{name, name + ".z"}), packed(func(o io.Writer) (io.WriteCloser, error) { return zlib.NewWriterLevel(o, 1+w.IntN(9)) }, b)
}

func inXZ(w *writer, name string, b []byte) (string, []byte) {
	return pick(w, []string{name, name + ".xz"}), packed(func(o io.Writer) (io.WriteCloser, error) {
		return xz.WriterConfig{DictCap: lzma.MinDictCap}.NewWriter(o)
	}, b)
}

func inLZMA(w *writer, name string, b []byte) (string, []byte) {
	return pick(w, []string{name, name + ".lzma"}), packed(func(o io.Writer) (io.WriteCloser, error) {
		return lzma.WriterConfig{DictCap: 1 << 16}.NewWriter(o)
	}, b)
}

func inLZ4(w *writer, name string, b []byte) (string, []byte) {
	return pick(w, []string{name, name + ".lz4"}), packed(func(o io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(o), nil }, b)
}

// A member is a file in an archive.
type member struct {
	name string
	data []byte
}

func zipped(w *writer, name string, members ...member) (string, []byte) {
	method := pick(w, []uint16{zip.Store, zip.Deflate})
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, m := range members {
		f, err := z.CreateHeader(&zip.FileHeader{Name: m.name, Method: method})
		if err == nil {
			_, err = f.Write(m.data)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return name, out.Bytes()
}

func inZip(w *writer, name string, b []byte) (string, []byte) {
	return zipped(w, "model.zip", member{name, b})
}

func inTorch(w *writer, _ string, b []byte) (string, []byte) {
	return zipped(w, "pytorch_model.bin", member{"archive/data.pkl", b}, member{"archive/byteorder", []byte("little")}, member{"archive/version", []byte("3\n")})
}

func inTar(w *writer, name string, b []byte) (string, []byte) {
	var out bytes.Buffer
	t := tar.NewWriter(&out)
	name = pick(w, []string{name, "pickle", "weights/model.pkl"})
	err := t.WriteHeader(&tar.Header{Name: name, Size: int64(len(b)), Mode: 0o644})
	if err == nil {
		_, err = t.Write(b)
	}
	if err == nil {
		err = t.Close()
	}
	if err != nil {
		panic(err)
	}
	return pick(w, []string{"model.tar", "model.pt", "model"}), out.Bytes()
}

// inNPY makes an array of objects of numpy's.
func inNPY(w *writer, _ string, b []byte) (string, []byte) {
	header := "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	head := fmt.Appendf(nil, "\x93NUMPY\x01\x00%c%c%s", byte(len(header)), byte(len(header)>>8), header)
	if w.IntN(3) == 0 {
		head = fmt.Appendf(nil, "\x93NUMPY\x02\x00%c%c\x00\x00%s", byte(len(header)), byte(len(header)>>8), header)
	}
	return "objects.npy", append(head, b...)
}

// legacy is what torch wrote before it wrote zips: its number, its version, how
// the machine counts, the object, and which storages follow.
func legacy(b []byte) []byte {
	return slices.Concat(
		[]byte("\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."), []byte("\x80\x02M\xe9\x03."),
		[]byte("\x80\x02}q\x00(X\x10\x00\x00\x00protocol_versionq\x01M\xe9\x03X\r\x00\x00\x00little_endianq\x02\x88X\n\x00\x00\x00type_sizesq\x03}q\x04"+
			"(X\x05\x00\x00\x00shortq\x05K\x02X\x03\x00\x00\x00intq\x06K\x04X\x04\x00\x00\x00longq\x07K\x04uu."),
		b, []byte("\x80\x02]q\x00."))
}
