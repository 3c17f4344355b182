package dataset

import (
	"encoding/binary"
	"slices"

	"github.com/sallyport/sallyport"
)

// Every sealed segment of a dataset begins with a head that says what it is and
// whose: the increment by its random id, and a place there. A segment that
// stands where another belongs is noticed, even if it opens.
//
//	0   1   kind: 'R' records, 'L' listing, 'P' part of a file, 'I' index
//	1   1   format version, 1
//	2   16  id of the increment
//	18  …   uvarint: window (I: run), uvarint: bucket (P: part, I: block)
const segmentVersion = 1

const (
	kindRecords = 'R'
	kindListing = 'L'
	kindPart    = 'P'
	kindIndex   = 'I'
)

// A head is the head of a segment.
type head struct {
	kind byte
	id   [idSize]byte
	a, b int
}

func (h head) append(dst []byte) []byte {
	dst = append(dst, h.kind, segmentVersion)
	dst = append(dst, h.id[:]...)
	dst = binary.AppendUvarint(dst, uint64(h.a))
	return binary.AppendUvarint(dst, uint64(h.b))
}

// cut takes the head off a segment, if it is this one.
func (h head) cut(segment []byte) (body []byte, err error) {
	want := h.append(make([]byte, 0, 64))
	if len(segment) > 1 && segment[0] == h.kind && segment[1] > segmentVersion {
		return nil, sallyport.Errorf(sallyport.Newer, "a segment has format version %d", segment[1]).Try("use a newer Sallyport")
	}
	if len(segment) < len(want) || string(segment[:len(want)]) != string(want) {
		return nil, damaged("a segment is not the one that belongs here")
	}
	return segment[len(want):], nil
}

// damaged is what is wrong with the plaintext of a segment. Since the seal was
// whole, whoever wrote it is at fault.
func damaged(what string) error {
	return sallyport.Errorf(sallyport.Corrupt, "%s", what).Try("restore the site from a backup, then run: sallyport log verify")
}

// The body of a records segment, all numbers uvarints:
//
//	n
//	n × the record's number in its window, less the one before it and 1
//	length of what follows, then n × the record's length
//	the records
//
// Records come in the order of their numbers.

// appendRecords appends the body of the records with these numbers.
func appendRecords(dst []byte, numbers []uint32, record func(i int) []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(numbers)))
	next := uint32(0)
	for _, n := range numbers {
		dst = binary.AppendUvarint(dst, uint64(n-next))
		next = n + 1
	}
	lengths, total := 0, 0
	for _, n := range numbers {
		l := len(record(int(n)))
		lengths += uvarintLen(uint64(l))
		total += l
	}
	dst = binary.AppendUvarint(dst, uint64(lengths))
	dst = slices.Grow(dst, lengths+total)
	for _, n := range numbers {
		dst = binary.AppendUvarint(dst, uint64(len(record(int(n)))))
	}
	for _, n := range numbers {
		dst = append(dst, record(int(n))...)
	}
	return dst
}

// records walks through the body of a records segment.
type records struct {
	left    int    // records to come
	number  uint32 // of the last one
	begun   bool
	numbers []byte
	lengths []byte
	data    []byte
}

// parseRecords reads a body whose records have numbers below limit. Numbers
// and lengths are checked here, all of them, so that walking cannot fail.
func parseRecords(body []byte, limit int) (records, error) {
	bad := damaged("a segment of records contradicts itself")
	n, body, ok := uvarint(body)
	if !ok || n > uint64(limit) {
		return records{}, bad
	}
	r := records{left: int(n)}
	rest, next := body, uint64(0)
	for range r.left {
		var delta uint64
		if delta, rest, ok = uvarint(rest); !ok || delta > uint64(limit) {
			return records{}, bad
		}
		if next += delta; next >= uint64(limit) {
			return records{}, bad
		}
		next++
	}
	r.numbers = body[:len(body)-len(rest)]
	size, rest, ok := uvarint(rest)
	if !ok || size > uint64(len(rest)) {
		return records{}, bad
	}
	r.lengths, r.data = rest[:size], rest[size:]
	lengths, total := r.lengths, uint64(0)
	for range r.left {
		var l uint64
		if l, lengths, ok = uvarint(lengths); !ok || l > uint64(len(r.data)) {
			return records{}, bad
		}
		total += l
	}
	if len(lengths) != 0 || total != uint64(len(r.data)) {
		return records{}, bad
	}
	return r, nil
}

// nextNumber moves on to the next record and returns its number. The caller
// knows that there is one, and takes its bytes with nextRecord.
func (r *records) nextNumber() uint32 {
	delta, n := binary.Uvarint(r.numbers)
	r.numbers = r.numbers[n:]
	if r.begun {
		delta += uint64(r.number) + 1
	}
	r.number, r.begun = uint32(delta), true
	r.left--
	return r.number
}

// nextRecord returns the bytes of the next record.
func (r *records) nextRecord() []byte {
	l, n := binary.Uvarint(r.lengths)
	r.lengths = r.lengths[n:]
	b := r.data[:l]
	r.data = r.data[l:]
	return b
}

// uvarint takes a uvarint off b.
func uvarint(b []byte) (uint64, []byte, bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}
