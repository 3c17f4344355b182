package advisory

import "github.com/sallyport/sallyport/internal/pep440"

// A spool keeps what records say about each package until all are read. It keeps
// it as bytes, several times smaller than the values are in memory.
type spool struct {
	chunks [][]byte
	notes  map[string][]note // by package
	size   int               // bytes
}

// A note is where a piece of the spool lies.
type note struct{ chunk, from, to uint32 }

const chunkSize = 1 << 20

// put keeps a piece of a package.
func (s *spool) put(name string, b []byte) {
	last := len(s.chunks) - 1
	if last < 0 || len(s.chunks[last])+len(b) > cap(s.chunks[last]) {
		s.chunks = append(s.chunks, make([]byte, 0, max(chunkSize, len(b))))
		last++
	}
	from := len(s.chunks[last])
	s.chunks[last] = append(s.chunks[last], b...)
	s.notes[name] = append(s.notes[name], note{uint32(last), uint32(from), uint32(from + len(b))})
}

// each calls f with every piece of a package, in the order in which they came.
func (s *spool) each(name string, f func(*decoder)) {
	for _, n := range s.notes[name] {
		f(&decoder{b: s.chunks[n.chunk][n.from:n.to]})
	}
}

// A statement is what a record says about one package.
type statement struct {
	record // without affects
	affect
}

func (s *statement) encode(e *encoder) {
	e.text(s.id)
	e.texts(s.aliases)
	e.text(s.summary)
	e.text(s.url)
	worst := s.record.rating.or(s.affect.rating)
	e.int(int(worst.severity))
	e.float(worst.score)
	e.text(worst.vector)
	e.bool(s.malicious)
	e.time(s.published)
	e.time(s.modified)
	e.text(s.unread)
	e.texts(s.versions)
	e.int(len(s.ranges))
	for _, events := range s.ranges {
		e.int(len(events))
		for _, ev := range events {
			e.int(int(ev.change))
			e.text(ev.version.String())
		}
	}
}

func (s *statement) decode(d *decoder) {
	s.id = d.text()
	s.aliases = d.texts()
	s.summary = d.text()
	s.url = d.text()
	s.record.rating = rating{Severity(d.int(int(Critical))), d.float(), d.text()}
	s.malicious = d.bool()
	s.published = d.time()
	s.modified = d.time()
	s.unread = d.text()
	s.versions = d.texts()
	for range d.count() {
		var events []event
		for range d.count() {
			e := event{change: change(d.int(len(changes) - 1))}
			if at := d.text(); at != "" {
				e.version, _ = pep440.Parse(at) // it was parsed before it came here
			}
			events = append(events, e)
		}
		s.ranges = append(s.ranges, events)
	}
}
