package state

import (
	"database/sql"
	"encoding/json"

	"github.com/sallyport/sallyport"
)

// A Segment says where a sealed segment lies (Len bytes at Off of a pack) and
// holds its key, wrapped under an epoch of a ring. An ID is never used twice.
type Segment struct {
	ID       int64
	Pack     string
	Off, Len int64
	Ring     string
	Epoch    int
	Key      []byte
}

// PutSegments stores new segments and sets their IDs, in rising order.
func (tx *Tx) PutSegments(segments []Segment) error {
	for i := range segments {
		s := &segments[i]
		res, err := tx.exec(`INSERT INTO segment (pack, off, len, ring, epoch, key) VALUES (?, ?, ?, ?, ?, ?)`,
			s.Pack, s.Off, s.Len, s.Ring, s.Epoch, nonNil(s.Key))
		if err != nil {
			return err
		}
		if s.ID, err = res.LastInsertId(); err != nil {
			return fault(err)
		}
	}
	return nil
}

// Segment returns a segment; an error of kind NotFound if there is none.
func (tx *Tx) Segment(id int64) (Segment, error) {
	s := Segment{ID: id}
	found, err := tx.scan(`SELECT pack, off, len, ring, epoch, key FROM segment WHERE id = ?`, []any{id},
		&s.Pack, &s.Off, &s.Len, &s.Ring, &s.Epoch, &s.Key)
	if err == nil && !found {
		err = noSegment(id)
	}
	if err != nil {
		return Segment{}, err
	}
	return s, nil
}

// SegmentsOf returns the segments with the given IDs, in their order; an error
// of kind NotFound if one is gone.
func (tx *Tx) SegmentsOf(ids []int64) ([]Segment, error) {
	out := make([]Segment, 0, len(ids))
	err := tx.each(`SELECT want.value, s.id IS NOT NULL, s.pack, s.off, s.len, s.ring, s.epoch, s.key
		FROM json_each(?) AS want LEFT JOIN segment AS s ON s.id = want.value ORDER BY want.key`, []any{list(ids)},
		func(rows *sql.Rows) error {
			var s Segment
			var there bool
			var pack, ring sql.NullString
			var off, length, epoch sql.NullInt64
			if err := rows.Scan(&s.ID, &there, &pack, &off, &length, &ring, &epoch, &s.Key); err != nil {
				return fault(err)
			}
			if !there {
				return noSegment(s.ID)
			}
			s.Pack, s.Off, s.Len, s.Ring, s.Epoch = pack.String, off.Int64, length.Int64, ring.String, int(epoch.Int64)
			out = append(out, s)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteSegments deletes the segments with the given IDs and with them their
// keys. Those that are gone already are no error.
func (tx *Tx) DeleteSegments(ids []int64) error {
	_, err := tx.exec(`DELETE FROM segment WHERE id IN (SELECT value FROM json_each(?))`, list(ids))
	return err
}

// EachSegment calls fn with every segment.
func (tx *Tx) EachSegment(fn func(Segment) error) error {
	return tx.each(`SELECT id, pack, off, len, ring, epoch, key FROM segment ORDER BY id`, nil, func(rows *sql.Rows) error {
		var s Segment
		if err := rows.Scan(&s.ID, &s.Pack, &s.Off, &s.Len, &s.Ring, &s.Epoch, &s.Key); err != nil {
			return fault(err)
		}
		return fn(s)
	})
}

// Rewrap has fn wrap the keys of all segments of a ring anew that are wrapped
// under an epoch before the newest, and returns how many there were.
func (tx *Tx) Rewrap(ring string, newest int, fn func(Segment) (key []byte, err error)) (n int, err error) {
	var old []Segment
	if err := tx.each(`SELECT id, pack, off, len, ring, epoch, key FROM segment WHERE ring = ? AND epoch < ?`, []any{ring, newest},
		func(rows *sql.Rows) error {
			var s Segment
			if err := rows.Scan(&s.ID, &s.Pack, &s.Off, &s.Len, &s.Ring, &s.Epoch, &s.Key); err != nil {
				return fault(err)
			}
			old = append(old, s)
			return nil
		}); err != nil {
		return 0, err
	}
	for _, s := range old {
		key, err := fn(s)
		if err != nil {
			return 0, err
		}
		if _, err := tx.exec(`UPDATE segment SET epoch = ?, key = ? WHERE id = ?`, newest, nonNil(key), s.ID); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// Packs returns the packs that any segment lies in.
func (tx *Tx) Packs() (map[string]bool, error) {
	packs := make(map[string]bool)
	err := tx.each(`SELECT DISTINCT pack FROM segment`, nil, func(rows *sql.Rows) error {
		var p string
		if err := rows.Scan(&p); err != nil {
			return fault(err)
		}
		packs[p] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return packs, nil
}

// list writes ids as JSON, so that one statement takes any number of them.
func list(ids []int64) string {
	if ids == nil {
		return "[]"
	}
	b, err := json.Marshal(ids)
	if err != nil {
		panic(err) // integers always have a JSON form
	}
	return string(b)
}

func noSegment(id int64) error {
	return sallyport.Errorf(sallyport.NotFound, "segment %d was destroyed, or never was", id)
}
