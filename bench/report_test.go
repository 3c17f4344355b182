package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSample(t *testing.T) {
	for _, c := range []struct {
		s              sample
		median, spread float64
	}{
		{sample{3}, 3, 0},
		{sample{1, 3}, 2, 0.4},
		{sample{5, 1, 3}, 3, 1.6 / 3},
		{sample{4, 1, 3, 2}, 2.5, 1.2 / 2.5},
		{sample{10, 10, 10, 1000}, 10, 34.65},
		{sample{0, 0}, 0, 0},
	} {
		before := append(sample{}, c.s...)
		if m, s := c.s.median(), c.s.spread(); math.Abs(m-c.median) > 1e-9 || math.Abs(s-c.spread) > 1e-9 {
			t.Errorf("%v: %v ±%v, want %v ±%v", before, m, s, c.median, c.spread)
		}
		for i := range before {
			if before[i] != c.s[i] {
				t.Errorf("%v was put in order: %v", before, c.s)
			}
		}
	}
}

func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		m     measure
		ratio float64
		want  string
	}{
		"no bar":           {measure{unit: seconds, ours: sample{2}, theirs: sample{1}}, 2, ""},
		"as fast as asked": {measure{unit: seconds, bar: bar{ofTime, 1.4}, ours: sample{1.4}, theirs: sample{1}}, 1.4, "ok"},
		"slower":           {measure{unit: seconds, bar: bar{ofTime, 1.4}, ours: sample{1.41}, theirs: sample{1}}, 1.41, "MISSED"},
		"speed":            {measure{unit: seconds, bar: bar{ofSpeed, 1.5}, ours: sample{2}, theirs: sample{3}}, 1.5, "ok"},
		"too little speed": {measure{unit: seconds, bar: bar{ofSpeed, 1.5}, ours: sample{2}, theirs: sample{2.9}}, 1.45, "MISSED"},
		"round by round":   {measure{unit: seconds, bar: bar{ofTime, 1.1}, ours: sample{1, 10, 3}, theirs: sample{1, 9, 2}}, 10. / 9, "MISSED"},
		"no peer":          {measure{unit: seconds, bar: bar{ofSpeed, 1.5}, ours: sample{2}}, 0, "alone"},
		"an amount alone":  {measure{unit: seconds, bar: bar{ofAmount, 1}, ours: sample{0.5, 1, 9}}, 0, "ok"},
		"the median":       {measure{unit: seconds, bar: bar{ofAmount, 1}, ours: sample{0.5, 2, 9}}, 0, "MISSED"},
		"enough":           {measure{unit: share, bar: bar{ofLeast, 0.995}, ours: sample{0.995}}, 0, "ok"},
		"too little":       {measure{unit: rate, bar: bar{ofLeast, 1.5e9}, ours: sample{1.4e9, 1.6e9, 1.4e9}}, 0, "MISSED"},
		"shares":           {measure{unit: share, bar: bar{ofLeast, 1}, ours: sample{1}, theirs: sample{0.5}}, 0, "ok"},
		"the most memory":  {measure{unit: bytes, bar: bar{ofAmount, 100}, ours: sample{1, 2, 101}}, 0, "MISSED"},
	} {
		if r, v := c.m.ratio(), c.m.verdict(); math.Abs(r-c.ratio) > 1e-9 || v != c.want {
			t.Errorf("%s: %v, %q; want %v, %q", name, r, v, c.ratio, c.want)
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		unit unit
		v    float64
		want string
	}{
		{seconds, 0, "0 ns"}, {seconds, 1e-3, "1 ms"}, {seconds, 7.514e-3, "7.51 ms"}, {seconds, 12.34, "12.3 s"},
		{seconds, 0.9994, "999 ms"}, {seconds, 0.9996, "1 s"}, {seconds, 1234, "1234 s"},
		{number, 1e6, "1,000,000"}, {share, 1, "100 %"}, {share, 0.999999, "99.99 %"}, {share, 0, "0 %"},
		{opRate, 83.14e6, "83.1 M/s"}, {rate, 1.714e9, "1.71 GB/s"}, {rate, 612e6, "612 MB/s"},
		{bytes, 256e6, "256 MB"}, {bytes, 1e9, "1 GB"}, {bytes, 8192, "8.19 kB"}, {bytes, 99.96e6, "100 MB"},
	} {
		if got := text(c.unit, c.v); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.v, c.unit, got, c.want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 100_000: "100,000", 1_234_567: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func someReport() *report {
	r := &report{Machine: machine{CPU: "Some Processor", Cores: 2, Memory: 16e9, Kernel: "6.1", User: "ordinary", Disk: "ext4", Go: "go1"}}
	r.add(measure{work: "add 100,000 8 KiB files", unit: seconds, bar: bar{ofSpeed, 1.25}, ours: sample{0.1004, 0.1, 0.1002},
		peer: "restic 0.1", theirs: sample{0.1114, 0.111, 0.1112}})
	r.add(measure{work: "start", unit: seconds, bar: bar{ofTime, 1.4}, ours: sample{1}})
	r.add(measure{work: "  memory", unit: bytes, bar: bar{ofAmount, 256e6}, ours: sample{200e6, 100e6}, peer: "restic 0.1", theirs: sample{1e9}})
	r.add(measure{work: "scan a 15.6 MB pickle", unit: seconds, bar: bar{ofSpeed, 200}, ours: sample{0.1, 0.1, 0.11}, peer: "picklescan 1.0.5",
		theirs: sample{26.8, 26.9, 26.8}})
	r.add(measure{work: "  bytes a second", unit: rate, bar: bar{ofLeast, 1.5e9}, ours: sample{1.71e9, 1.1e9, 1.1e9}})
	r.add(measure{work: "hostile blocked, of 400", unit: share, bar: bar{ofLeast, 1}, ours: sample{1}, peer: "picklescan 1.0.5", theirs: sample{0.8166}})
	r.Notes = []string{"bwrap is missing"}
	return r
}

// TestPrint: the widest cells that there can be fit 80 columns, and what was
// missed or not compared is said.
func TestPrint(t *testing.T) {
	var b strings.Builder
	if err := someReport().print(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{
		"add 100,000 8 KiB files  100 ms ±0.2%  restic 111 ms ±0.1% 1.11×  ≥ 1.25× MISSED\n",
		"start                             1 s                              ≤ 1.4× alone\n",
		"  memory                       200 MB          restic 1 GB 0.20× ≤ 256 MB ok\n",
		"scan a 15.6 MB pickle      100 ms ±4%    picklescan 26.8 s  268×   ≥ 200× ok\n",
		"  bytes a second        1.1 GB/s ±22%                            ≥ 1.5G/s MISSED\n",
		"hostile blocked, of 400         100 %   picklescan 81.66 %        ≥ 100 % ok\n",
		"!!! bwrap is missing\n",
		"MISSED: 2.\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("does not hold %q:\n%s", want, b.String())
		}
	}
}

func TestEncode(t *testing.T) {
	var b strings.Builder
	if err := someReport().encode(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Measures []struct {
			Work, Bar, Verdict string
			Ratio              float64
			Sallyport          struct{ Samples []float64 }
		}
	}
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if m := got.Measures; len(m) != 6 || m[0].Bar != "≥ 1.25×" || m[0].Verdict != "MISSED" || len(m[0].Sallyport.Samples) != 3 {
		t.Errorf("%+v", got)
	}
}
