//go:build amd64 || arm64

package sandbox

import (
	"context"
	"os/exec"
	"testing"
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
