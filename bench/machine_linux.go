package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// peers are the programs to compare with, how they say their version, and the
// Debian packages that they come from.
var peers = []struct{ name, flag, from string }{
	{"bwrap", "--version", "bubblewrap"},
	{"python3", "--version", "python3"},
	{"restic", "version", "restic"},
}

// tooBusy is the share of the processors that others may use before figures are
// worth less than they look. Some of it is the kernel's, writing for us.
const tooBusy = 0.1

// look finds out what the figures will have been taken on, and warns of what
// spoils them.
func (b *bench) look(ctx context.Context) error {
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
	b.report.Machine = m
	return nil
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

// A load is what the processors had done at one time, in seconds.
type load struct{ all, idle, own float64 }

// loadNow reads the first line of /proc/stat (proc_stat(5)): user, nice, system,
// idle, iowait, irq, softirq and steal, in hundredths. Own is what this process
// did, and those that it started and waited for.
func loadNow() (l load) {
	b, _ := os.ReadFile("/proc/stat") // absent: all stays 0, and nothing is said
	var v [8]float64
	_, _ = fmt.Sscanf(string(b), "cpu %g %g %g %g %g %g %g %g", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7])
	for _, n := range v {
		l.all += n / 100
	}
	l.idle = (v[3] + v[4]) / 100
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if unix.Getrusage(who, &u) == nil {
			l.own += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
		}
	}
	return l
}

// others returns the share of the processors that others used since before.
func (l load) others(before load) float64 {
	all := l.all - before.all
	if all <= 0 {
		return 0
	}
	return max(0, all-(l.idle-before.idle)-(l.own-before.own)) / all
}
