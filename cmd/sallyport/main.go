// Sallyport trains models on personal data: code goes in through one door,
// models come out through the other, and between them code runs on real data
// in a sealed sandbox that its authors never enter.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	a := newApp(os.Stdin, os.Stdout, os.Stderr)
	code := a.main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
