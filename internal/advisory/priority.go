package advisory

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/format/json"
)

// A cve is the identifier of a CVE record in eight bytes: of EPSS there are some
// hundred thousand.
type cve uint64

// maxScores bounds the lines of EPSS that are kept: ten times as many as there are.
const maxScores = 3_000_000

// A score is a line of EPSS.
type score struct {
	cve         cve
	probability float32
}

func (s score) compare(c cve) int { return cmp.Compare(s.cve, c) }

// parseCVE reads "CVE-2021-44228".
func parseCVE(id string) (cve, bool) {
	year, number, ok := strings.Cut(strings.TrimPrefix(id, "CVE-"), "-")
	y, err := strconv.ParseUint(year, 10, 16)
	n, err2 := strconv.ParseUint(number, 10, 40)
	if !ok || !strings.HasPrefix(id, "CVE-") || err != nil || err2 != nil {
		return 0, false
	}
	return cve(y<<40 | n), true
}

// readKEV reads the catalogue of exploited vulnerabilities of the United States'
// Cybersecurity and Infrastructure Security Agency.
func (c *compiler) readKEV(file string, b []byte) (wrong error) {
	return items(b, "vulnerabilities", func(v *json.Value) {
		id := v.Get("cveID").Str()
		added, err := time.Parse(time.DateOnly, v.Get("dateAdded").Str())
		if _, ok := parseCVE(id); !ok || err != nil {
			c.unreadable(file, "an entry of KEV has no identifier or no date")
			return
		}
		c.kev[id] = added
	}, func(string, string) {})
}

// readEPSS reads the scores of the Exploit Prediction Scoring System: a comment,
// the names of the columns, and a line for each CVE.
func (c *compiler) readEPSS(file string, src io.Reader) {
	c.stats.Files++
	lines := bufio.NewScanner(src)
	bad := 0
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' || strings.HasPrefix(line, "cve,") {
			continue
		}
		id, rest, _ := strings.Cut(line, ",")
		probability, _, _ := strings.Cut(rest, ",")
		number, ok := parseCVE(id)
		p, err := strconv.ParseFloat(probability, 32)
		if !ok || err != nil || !(p >= 0 && p <= 1) {
			bad++
			continue
		}
		if len(c.epss) == maxScores {
			c.unreadable(file, fmt.Sprintf("it has more than %d lines of EPSS", maxScores))
			return
		}
		c.epss = append(c.epss, score{number, float32(p)})
	}
	if bad > 0 {
		c.unreadable(file, fmt.Sprintf("%d lines of EPSS have no identifier or no probability", bad))
	}
	if lines.Err() != nil {
		c.unreadable(file, "its lines of EPSS cannot be read to their end")
	}
}
