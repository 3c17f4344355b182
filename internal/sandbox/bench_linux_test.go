//go:build amd64 || arm64

package sandbox

import (
	"context"
	"os/exec"
	"testing"
	"time"
)

// BenchmarkStart starts a program that does nothing, beside bubblewrap. The bar
// is 1.4 times its time.
func BenchmarkStart(b *testing.B) {
	b.Run("sallyport", func(b *testing.B) {
		c := Config{Args: []string{"/usr/bin/true"}, Binds: System()}
		for b.Loop() {
			if r, err := Run(context.Background(), c); err != nil || r.Exit != 0 {
				b.Fatal(r, err)
			}
		}
	})
	b.Run("bwrap", func(b *testing.B) {
		bwrap, err := exec.LookPath("bwrap")
		if err != nil {
			b.Skip("bubblewrap is not installed: there is nothing to compare with")
		}
		for b.Loop() {
			c := exec.Command(bwrap, "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "true")
			if out, err := c.CombinedOutput(); err != nil {
				b.Fatal(err, string(out))
			}
		}
	})
}

// BenchmarkPython computes, inside and outside; cpu-ms/op is what to compare.
// The bar is 1.01 times the time outside.
func BenchmarkPython(b *testing.B) {
	const python = "/usr/bin/python3"
	if _, err := exec.LookPath(python); err != nil {
		b.Skip("there is no " + python)
	}
	args := []string{python, "-I", "-c", "x = 0\nfor i in range(10_000_000): x += i * i % 7"}
	report := func(b *testing.B, used time.Duration) {
		b.ReportMetric(used.Seconds()*1000/float64(b.N), "cpu-ms/op")
	}
	b.Run("sallyport", func(b *testing.B) {
		var used time.Duration
		for b.Loop() {
			r, err := Run(context.Background(), Config{Args: args, Binds: System()})
			if err != nil || r.Exit != 0 {
				b.Fatal(r, err)
			}
			used += r.Usage.User + r.Usage.System
		}
		report(b, used)
	})
	b.Run("bare", func(b *testing.B) {
		var used time.Duration
		for b.Loop() {
			c := exec.Command(args[0], args[1:]...)
			if err := c.Run(); err != nil {
				b.Fatal(err)
			}
			used += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
		}
		report(b, used)
	})
}
