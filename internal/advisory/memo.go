package advisory

import (
	"sync"

	"github.com/sallyport/sallyport/internal/pep440"
)

// maxMemo bounds how many versions and hits a memo holds, which take up to some
// 64 MiB.
const maxMemo = 1 << 17

// A Memo matches against a database and remembers, by the very texts of names
// and versions, so that nothing is parsed or read twice while thousands of lists
// of much the same packages are checked. It is safe for concurrent use.
type Memo struct {
	db    *DB
	mu    sync.RWMutex
	known map[asked]answer
	holds int // versions and hits
	asked int // different questions
}

// Asked returns how many different packages the memo was asked about; those that
// it has had to forget count again.
func (m *Memo) Asked() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.asked
}

type asked struct{ name, version string }

type answer struct {
	hits []Hit
	err  error
}

// Memo returns a memo of the database that knows nothing yet.
func (db *DB) Memo() *Memo { return &Memo{db: db, known: map[asked]answer{}} }

// Match is DB.Match of a version's text. A text that is no version as PEP 440
// has it is an error of kind Invalid. The hits are shared: they are not to be
// changed.
func (m *Memo) Match(name, version string) ([]Hit, error) {
	key := asked{name, version}
	m.mu.RLock()
	a, ok := m.known[key]
	m.mu.RUnlock()
	if ok {
		return a.hits, a.err
	}
	v, err := pep440.Parse(version)
	if err == nil {
		a.hits, err = m.db.Match(name, v)
	}
	a.err = err
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if m.holds += 1 + len(a.hits); m.holds > maxMemo {
		clear(m.known)
		m.holds = 1 + len(a.hits)
	}
	m.known[key] = a
	return a.hits, a.err
}
