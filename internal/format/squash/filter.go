package squash

import "io"

// A delta filter adds to every byte the one that stands distance before it.
type delta struct {
	r    io.Reader
	past [256]byte
	at   int
	dist int
}

// NewDelta undoes the delta filter of a distance of 1 to 256.
func NewDelta(r io.Reader, distance int) io.Reader { return &delta{r: r, dist: distance} }

func (d *delta) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	for i := range p[:n] {
		p[i] += d.past[d.at]
		d.past[d.at] = p[i]
		if d.at++; d.at == d.dist {
			d.at = 0
		}
	}
	return n, err
}
