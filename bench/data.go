package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// The same data is made every time: what differs between two runs of the
// program is not the input.
const seed = 20

// columns are those of writeTable.
const columns = "encounter,patient,admitted,ward,age,sex,weight,height,pulse,systolic,diastolic,temperature," +
	"glucose,creatinine,haemoglobin,diagnosis,medication,days,readmitted,note\n"

// subjectColumn says whose a row is.
const subjectColumn = "patient"

var (
	wards       = []string{"cardiology", "surgery", "oncology", "paediatrics", "emergency", "neurology", "geriatrics", "maternity"}
	medications = []string{"metformin", "insulin", "glipizide", "ramipril", "atorvastatin", "none", "warfarin", "furosemide"}
	words       = []string{"patient", "reports", "mild", "severe", "pain", "after", "surgery", "no", "fever", "since", "admission",
		"blood", "pressure", "stable", "discharged", "home", "with", "follow-up", "in", "weeks", "chest", "clear", "x-ray",
		"shows", "improved", "mobility", "diet", "as", "tolerated", "wound", "healing", "well"}
)

// writeTable writes about size bytes of CSV: rows of some 190 bytes and 20
// columns of numbers, codes and text, each row unlike all others, in the order
// in which patients came, one patient in two or three rows.
func writeTable(w io.Writer, size int64) error {
	out := bufio.NewWriterSize(w, 1<<20)
	if _, err := out.WriteString(columns); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, 1))
	patients := max(1, size/(190*5/2))
	row := make([]byte, 0, 512)
	written := int64(len(columns))
	for n := int64(0); written < size; n++ {
		row = appendRow(row[:0], r, 10_000_000+n, 40_000_000+r.Int64N(patients))
		written += int64(len(row))
		if _, err := out.Write(row); err != nil {
			return err
		}
	}
	return out.Flush()
}

func appendRow(b []byte, r *rand.Rand, encounter, patient int64) []byte {
	number := func(v int64) { b = append(strconv.AppendInt(b, v, 10), ',') }
	tenths := func(low, span int) {
		b = append(strconv.AppendFloat(b, float64(low+r.IntN(span))/10, 'f', 1, 64), ',')
	}
	name := func(of []string) { b = append(append(b, of[r.IntN(len(of))]...), ',') }
	between := func(low, span int) { number(int64(low + r.IntN(span))) }

	number(encounter)
	number(patient)
	b = fmt.Appendf(b, "20%02d-%02d-%02dT%02d:%02d,", 10+r.IntN(15), 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60))
	name(wards)
	between(0, 100)
	b = append(b, "FM"[r.IntN(2)], ',')
	tenths(400, 800)
	between(140, 60)
	between(45, 100)
	between(90, 100)
	between(50, 60)
	tenths(355, 50)
	tenths(35, 200)
	between(40, 400)
	tenths(70, 110)
	b = append(b, 'A'+byte(r.IntN(26)))
	tenths(0, 1000)
	name(medications)
	between(1, 30)
	b = append(b, "01"[r.IntN(2)], ',')
	for i := range 9 + r.IntN(8) {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, words[r.IntN(len(words))]...)
	}
	return append(b, '\n')
}

// fileSize is the size of a file of writeTree, in bytes.
const fileSize = 8 << 10

// filesOfOne is how many files of writeTree belong to one subject.
const filesOfOne = 20

// subjectPattern says whose a file of writeTree is.
const subjectPattern = `^p([0-9]+)/`

// writeTree writes n files below dir, a folder for each subject. Like pictures,
// they begin alike and cannot be compressed.
func writeTree(dir string, n int) error {
	var key [32]byte
	key[0] = seed
	random := rand.NewChaCha8(key)
	content := make([]byte, fileSize)
	copy(content, "SCAN 8 KiB")
	for i := range n {
		folder := filepath.Join(dir, fmt.Sprintf("p%05d", i/filesOfOne))
		if i%filesOfOne == 0 {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
		}
		_, _ = random.Read(content[128:]) // never fails
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("scan-%02d.img", i%filesOfOne)), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
