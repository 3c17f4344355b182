package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sallyport/sallyport"
)

// peers are the programs to compare with, how they say their version, and the
// Debian packages that they come from.
var peers = []struct{ name, flag, from string }{
	{"bwrap", "--version", "bubblewrap"},
	{"python3", "--version", "python3"},
	{"restic", "version", "restic"},
}

// tooBusy is the share of the machine that others may use before the figures
// are worth less than they look.
const tooBusy = 0.05

// look finds out what the figures will have been taken on, and warns of what
// spoils them.
func (b *bench) look(ctx context.Context) (err error) {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), User: "ordinary", Programs: map[string]string{}}
	if os.Geteuid() == 0 {
		m.User = "root"
	}
	m.CPU = field("/proc/cpuinfo", "model name")
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return err
	}
	m.Memory = int64(info.Totalram) * int64(info.Unit)
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err
	}
	m.Kernel = unix.ByteSliceToString(u.Release[:])
	var fs unix.Statfs_t
	if err := unix.Statfs(b.dir, &fs); err != nil {
		return err
	}
	if m.Disk = fileSystem(int64(fs.Type)); m.Disk == "tmpfs" {
		b.warn("the work folder is in memory: nothing is durable there; name a disk with -dir")
	}
	for _, p := range peers {
		out, err := program(ctx, p.name, p.flag).Output()
		if err != nil {
			b.warn("%s (Debian package %s) is missing: nothing to compare with", p.name, p.from)
			continue
		}
		m.Programs[p.name], _, _ = strings.Cut(strings.TrimSpace(string(out)), " compiled with ")
	}
	if m.Busy, err = busy(ctx, 2*time.Second); m.Busy > tooBusy {
		b.warn("other programs use %.0f%% of the processors: repeat this when they are quiet", 100*m.Busy)
	}
	b.report.Machine = m
	return err
}

// has reports whether there is a peer of that name.
func (b *bench) has(name string) bool { return b.report.Machine.Programs[name] != "" }

// peer returns a program's name and version.
func (b *bench) peer(name string) string {
	v := b.report.Machine.Programs[name]
	return name + " " + v[strings.LastIndexByte(v, ' ')+1:]
}

// field returns the first value of a key in a file of keys and values.
func field(file, key string) string {
	b, _ := os.ReadFile(file) // absent where /proc is not; the figure is then unknown
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown processor"
}

func fileSystem(kind int64) string {
	switch kind {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	}
	return fmt.Sprintf("%#x", kind)
}

// busy looks for a while at how much of the processors is used while this
// program does nothing.
func busy(ctx context.Context, while time.Duration) (float64, error) {
	used, idle := jiffies()
	select {
	case <-time.After(while):
	case <-ctx.Done():
		return 0, sallyport.Errorf(sallyport.Interrupted, "stopped before anything was measured")
	}
	used2, idle2 := jiffies()
	if used, idle = used2-used, idle2-idle; used+idle > 0 {
		return used / (used + idle), nil
	}
	return 0, nil
}

// jiffies reads the first line of /proc/stat (proc_stat(5)): user, nice,
// system, idle, iowait, irq, softirq, steal.
func jiffies() (used, idle float64) {
	b, _ := os.ReadFile("/proc/stat") // absent: nothing is known, and 0 is said
	var v [8]float64
	_, _ = fmt.Sscanf(string(b), "cpu %g %g %g %g %g %g %g %g", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7])
	for i, n := range v {
		if i == 3 || i == 4 {
			idle += n
		} else {
			used += n
		}
	}
	return used, idle
}
