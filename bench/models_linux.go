package main

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// record is how many opcodes each record of writeDense has, in 27 bytes.
const record = 9

// writeDense writes a pickle of about that many opcodes: a list of short
// strings, small integers and tuples, as a table or a vocabulary is pickled.
func writeDense(path string, opcodes int) error {
	return writeFile(path, func(w *bufio.Writer) error {
		r := rand.New(rand.NewPCG(seed, 2))
		w.WriteString("\x80\x04]\x94")
		var b []byte
		for n := range opcodes / record {
			if n%1000 == 0 {
				if n > 0 {
					w.WriteByte('e')
				}
				w.WriteByte('(')
			}
			b = append(b[:0], 0x8c, 4)
			b = appendLetters(b, r, 4)
			b = append(b, 0x94, 'K', byte(r.Uint32()), 'M', byte(r.Uint32()), byte(1+r.IntN(255)), 0x87, 0x94, 'J')
			b = binary.LittleEndian.AppendUint32(b, 1<<16+uint32(r.Int32N(1<<30)))
			b = append(b, 0x8c, 5)
			b = append(appendLetters(b, r, 5), 0x94)
			w.Write(b)
		}
		_, err := w.WriteString("e.")
		return err
	})
}

func appendLetters(b []byte, r *rand.Rand, n int) []byte {
	for range n {
		b = append(b, 'a'+byte(r.IntN(26)))
	}
	return b
}

// writeFile makes a file. A bufio.Writer keeps its first error, and Flush
// returns it.
func writeFile(path string, fill func(*bufio.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close() // otherwise closed below
	w := bufio.NewWriterSize(f, 1<<20)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// weights writes n bytes such as trained weights are: nothing repeats that a
// compressor or a cache could see.
func weights(w io.Writer, n int64) error {
	var key [32]byte
	key[0] = seed
	_, err := io.CopyN(w, rand.NewChaCha8(key), n)
	return err
}

// tensors is how many tensors of equal size a large model has.
const tensors = 16

// writeTorch writes what torch.save writes of a dictionary of tensors of about
// size bytes together.
func writeTorch(path string, size int64) error {
	each := size / tensors / 4 * 4
	return writeFile(path, func(w *bufio.Writer) error {
		z := zip.NewWriter(w)
		if err := stored(z, "model/data.pkl", torchPickle(each/4)); err != nil {
			return err
		}
		if err := stored(z, "model/byteorder", []byte("little")); err != nil {
			return err
		}
		sum := crc32.NewIEEE()
		if err := weights(sum, each); err != nil {
			return err
		}
		for i := range tensors {
			h := &zip.FileHeader{Name: fmt.Sprintf("model/data/%d", i), CRC32: sum.Sum32(), CompressedSize64: uint64(each), UncompressedSize64: uint64(each)}
			f, err := z.CreateRaw(h)
			if err == nil {
				err = weights(f, each)
			}
			if err != nil {
				return err
			}
		}
		if err := stored(z, "model/version", []byte("3\n")); err != nil {
			return err
		}
		return z.Close()
	})
}

// stored adds a member as it is. Its sizes stand before it, as torch wants it.
func stored(z *zip.Writer, name string, content []byte) error {
	n := uint64(len(content))
	f, err := z.CreateRaw(&zip.FileHeader{Name: name, CRC32: crc32.ChecksumIEEE(content), CompressedSize64: n, UncompressedSize64: n})
	if err == nil {
		_, err = f.Write(content)
	}
	return err
}

// torchPickle is a dictionary of tensors with n floats each.
func torchPickle(n int64) []byte {
	number := func(b []byte, n int64) []byte { return binary.LittleEndian.AppendUint32(append(b, 'J'), uint32(n)) }
	str := func(b []byte, s string) []byte {
		return append(binary.LittleEndian.AppendUint32(append(b, 'X'), uint32(len(s))), s...)
	}
	b := []byte("\x80\x02}(")
	for i := range tensors {
		b = str(b, fmt.Sprintf("layers.%d.weight", i))
		b = append(b, "ctorch._utils\n_rebuild_tensor_v2\n(("...)
		b = append(str(b, "storage"), "ctorch\nFloatStorage\n"...)
		b = number(str(str(b, fmt.Sprint(i)), "cpu"), n)
		b = number(append(b, "tQK\x00"...), n)
		b = append(b, "\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"...)
	}
	return append(b, "u."...)
}

// writeSafetensors writes the same as a safetensors file.
func writeSafetensors(path string, size int64) error {
	each := size / tensors / 4 * 4
	header := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	for i := range int64(tensors) {
		header[fmt.Sprintf("layers.%d.weight", i)] = map[string]any{"dtype": "F32", "shape": []int64{each / 4}, "data_offsets": []int64{i * each, (i + 1) * each}}
	}
	head, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(head)%8 > 0 {
		head = append(head, ' ')
	}
	return writeFile(path, func(w *bufio.Writer) error {
		w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(head))))
		w.Write(head)
		return weights(w, each*tensors)
	})
}

// writeGGUF writes the same as a GGUF file of version 3.
func writeGGUF(path string, size int64) error {
	const alignment = 32
	each := size / tensors / alignment * alignment
	word := binary.LittleEndian.AppendUint64
	str := func(b []byte, s string) []byte { return append(word(b, uint64(len(s))), s...) }
	b := []byte("GGUF\x03\x00\x00\x00")
	b = word(word(b, tensors), 2)
	b = str(binary.LittleEndian.AppendUint32(str(b, "general.architecture"), 8), "llama")
	b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(str(b, "general.alignment"), 4), alignment)
	for i := range uint64(tensors) {
		b = binary.LittleEndian.AppendUint32(str(b, fmt.Sprintf("blk.%d.weight", i)), 1)
		b = word(b, uint64(each/4))
		b = word(binary.LittleEndian.AppendUint32(b, 0), i*uint64(each))
	}
	for len(b)%alignment > 0 {
		b = append(b, 0)
	}
	return writeFile(path, func(w *bufio.Writer) error {
		w.Write(b)
		return weights(w, each*tensors)
	})
}

// writeModels fills a folder with what strains a scanner's memory: opcodes,
// large tensors plain and compressed, many members, and a long text.
func writeModels(dir string, s scale) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	dense := filepath.Join(dir, "dense.pkl")
	for _, write := range []func() error{
		func() error { return writeDense(dense, s.Dense) },
		func() error { return writeTorch(filepath.Join(dir, "pytorch_model.bin"), s.Large/4) },
		func() error { return writeSafetensors(filepath.Join(dir, "model.safetensors"), s.Large/4) },
		func() error { return writeGGUF(filepath.Join(dir, "model.gguf"), s.Large/4) },
		func() error {
			return writeFile(filepath.Join(dir, "dense.pkl.gz"), func(w *bufio.Writer) error {
				z := gzip.NewWriter(w)
				if err := copyFile(z, dense); err != nil {
					return err
				}
				return z.Close()
			})
		},
		func() error { return writeMany(filepath.Join(dir, "many.zip"), s.Dense/100) },
		func() error { return writeVocabulary(filepath.Join(dir, "vocabulary.json"), s.Dense) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(to io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(to, f)
	return err
}

// writeMany writes a zip of n small members.
func writeMany(path string, n int) error {
	return writeFile(path, func(w *bufio.Writer) error {
		z := zip.NewWriter(w)
		for i := range n {
			f, err := z.Create(fmt.Sprintf("shards/%06d.json", i))
			if err == nil {
				_, err = fmt.Fprintf(f, `{"shard": %d}`, i)
			}
			if err != nil {
				return err
			}
		}
		return z.Close()
	})
}

// writeVocabulary writes a JSON object of n words and their numbers.
func writeVocabulary(path string, n int) error {
	return writeFile(path, func(w *bufio.Writer) error {
		w.WriteByte('{')
		for i := range n {
			if i > 0 {
				w.WriteByte(',')
			}
			fmt.Fprintf(w, "\n  \"word%d\": %d", i, i)
		}
		_, err := w.WriteString("\n}\n")
		return err
	})
}
