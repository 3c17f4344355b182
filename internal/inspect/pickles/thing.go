package pickles

import "github.com/sallyport/sallyport/internal/format/pickle"

// A life is how far an object of the stream has come. Honest writers make an
// object, add its items and set its state, in this order and each once: whatever
// comes later could reach methods that the state has replaced.
type life uint8

const (
	named  life = iota // it is a name, not made by the stream
	fresh              // made and nothing else
	filled             // it has items
	built              // its state is set
)

// A thing is what the rules know of a value: the tag of a value is its number.
type thing struct {
	entry   *entry // the name, or the class or function that made it; nil: it is not allowed
	kind    string // of the contract, or what its call gives
	life    life
	size    int32 // of a dtype, an element of a storage: bytes
	objects bool  // a dtype or an array that holds objects
}

// tag gives a thing its number. Equal things share one.
func (j *judge) tag(t thing) pickle.Tag {
	if n, ok := j.numbers[t]; ok {
		return n
	}
	if len(j.things) >= maxThings {
		return 0 // as if it were not allowed
	}
	j.things = append(j.things, t)
	n := pickle.Tag(len(j.things))
	j.numbers[t] = n
	return n
}

// thing is what is known of a value; the zero thing for plain data and for all
// that is not allowed.
func (j *judge) thing(m *pickle.Machine, v pickle.Value) thing {
	if n := m.Tag(v); n > 0 && int(n) <= len(j.things) {
		return j.things[n-1]
	}
	return thing{}
}
