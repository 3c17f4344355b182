package pickle

import (
	"encoding/binary"
	"os/exec"
	"strings"
	"testing"
)

// TestHonest wants nothing to be odd about what CPython's own picklers write, in
// all protocols.
func TestHonest(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("NO HONEST PICKLES: there is no python3")
	}
	data, err := exec.Command(python, "-I", "testdata/honest.py", "150").Output()
	if err != nil {
		t.Fatal(err)
	}
	streams := 0
	for ; len(data) > 4; streams++ {
		n := binary.LittleEndian.Uint32(data)
		stream := string(data[4 : 4+n])
		data = data[4+n:]
		l, result, err := run(t, stream)
		if err != nil || !result.Stopped || result.End != int64(len(stream)) || result.Left != 0 {
			t.Fatalf("%+v, %v: %.200q", result, err, stream)
		}
		for _, line := range l.lines {
			if strings.HasPrefix(line, "!") || strings.HasSuffix(line, "unknown") {
				t.Errorf("%s %q: %.200q", line, l.why, stream)
			}
		}
		if Sniff(strings.NewReader(stream), 0, int64(len(stream)), known) != Yes {
			t.Errorf("not taken for a stream: %.200q", stream)
		}
	}
	if streams < 1000 {
		t.Errorf("only %d streams", streams)
	}
	t.Logf("%d streams", streams)
}
