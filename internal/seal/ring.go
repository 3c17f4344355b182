package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"slices"

	"filippo.io/age"

	"github.com/sallyport/sallyport"
)

// A Ring is a site's key for one purpose ("data": real records; "output": what
// runs wrote), opened. Its epochs are numbered from 1; the newest seals, and
// every living one opens.
type Ring struct {
	Name    string
	Epoch   int         // the newest
	epochs  map[int]Key // the living
	lasting Key         // the same in every epoch; see Lasting
}

// NewRing returns a ring with a fresh first epoch.
func NewRing(name string) *Ring {
	return &Ring{name, 1, map[int]Key{1: NewKey()}, NewKey()}
}

// Lasting returns a key for a purpose that stays the same when epochs change.
// It opens nothing. It makes pseudonyms of subjects (purpose "subjects"): the
// same in every dataset of a site, so that a sample of two tables is of the
// same people and one look-up per dataset finds a person everywhere.
func (r *Ring) Lasting(purpose string) Key { return r.lasting.Derive(purpose) }

// WrapKey wraps a segment key under the newest epoch.
func (r *Ring) WrapKey(k Key, context string) (epoch int, wrapped []byte) {
	return r.Epoch, r.epochs[r.Epoch].Derive("wrap").Seal(nil, k[:], context)
}

// UnwrapKey opens what WrapKey wrapped under the given epoch. A destroyed
// epoch is an error of kind NotFound: what it held is gone for good.
func (r *Ring) UnwrapKey(epoch int, wrapped []byte, context string) (Key, error) {
	e, ok := r.epochs[epoch]
	if !ok {
		return Key{}, sallyport.Errorf(sallyport.NotFound, "the key that sealed this was destroyed").At("ring %s, epoch %d", r.Name, epoch)
	}
	b, err := e.Derive("wrap").Open(nil, wrapped, context)
	if err != nil {
		return Key{}, err
	}
	if len(b) != KeySize {
		return Key{}, sallyport.Errorf(sallyport.Corrupt, "a wrapped key has the wrong length").At("ring %s, epoch %d", r.Name, epoch)
	}
	return Key(b), nil
}

// Renew returns the ring with a new epoch, which seals from now on; the old ones
// still open.
func (r *Ring) Renew() *Ring {
	n := &Ring{r.Name, r.Epoch + 1, maps.Clone(r.epochs), r.lasting}
	n.epochs[n.Epoch] = NewKey()
	return n
}

// Newest returns the ring with its newest epoch alone. Whatever is wrapped under
// an older one cannot be opened with it.
func (r *Ring) Newest() *Ring {
	return &Ring{r.Name, r.Epoch, map[int]Key{r.Epoch: r.epochs[r.Epoch]}, r.lasting}
}

// ringMagic begins the plaintext of a wrapped ring; the digit is the version.
// The name is part of it, so that a ring that more people may open cannot be
// put in the place of one that fewer may, to be sealed with from then on.
func ringMagic(name string) []byte { return []byte("sallyport ring 1 " + name + "\n") }

// Wrap returns the ring as an age file that each of the recipients can open.
// Its plaintext is a line with the format and the ring's name, the lasting key,
// then per living epoch its number (uint32, big endian) and its key.
func (r *Ring) Wrap(recipients []string) ([]byte, error) {
	if len(recipients) == 0 {
		return nil, sallyport.Errorf(sallyport.Usage, "ring %s needs somebody who can open it", r.Name)
	}
	to := make([]age.Recipient, len(recipients))
	for i, s := range recipients {
		var err error
		if to[i], err = age.ParseX25519Recipient(s); err != nil {
			return nil, sallyport.Errorf(sallyport.Invalid, "not an age recipient").At("ring %s", r.Name)
		}
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		return nil, err
	}
	plain := append(ringMagic(r.Name), r.lasting[:]...)
	for _, e := range slices.Sorted(maps.Keys(r.epochs)) {
		k := r.epochs[e]
		plain = binary.BigEndian.AppendUint32(plain, uint32(e))
		plain = append(plain, k[:]...)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// maxRing bounds a wrapped ring: 16,384 epochs and recipients are plenty.
const maxRing = 1 << 20

// OpenRing opens a wrapped ring with an identity. An identity that it was not
// wrapped for gets an error of kind Denied.
func OpenRing(name string, wrapped []byte, id *Identity) (*Ring, error) {
	damaged := sallyport.Errorf(sallyport.Corrupt, "the wrapped key is damaged").At("ring %s", name)
	if len(wrapped) > maxRing {
		return nil, damaged
	}
	r, err := age.Decrypt(bytes.NewReader(wrapped), id.unwrap)
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
		return nil, sallyport.Errorf(sallyport.Denied, "the key of %s does not open the %s of this site", id.Name, name).
			Try("use an identity that may, with --as")
	} else if err != nil {
		return nil, damaged
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, damaged
	}
	rest, ok := bytes.CutPrefix(plain, ringMagic(name))
	if !ok || len(rest) <= KeySize || (len(rest)-KeySize)%(4+KeySize) != 0 {
		return nil, damaged
	}
	ring := &Ring{Name: name, epochs: map[int]Key{}, lasting: Key(rest[:KeySize])}
	for rest = rest[KeySize:]; len(rest) > 0; rest = rest[4+KeySize:] {
		e := int(binary.BigEndian.Uint32(rest))
		if e <= ring.Epoch {
			return nil, damaged
		}
		ring.epochs[e], ring.Epoch = Key(rest[4:4+KeySize]), e
	}
	return ring, nil
}
