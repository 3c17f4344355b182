//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A watch looks at what a program uses while it runs, for the limits that
// nothing else holds and for the peaks that nothing else remembers.
type watch struct {
	group     group
	proc      string // the inside's /proc
	volumes   []int  // what is written there is memory too
	filled    int64  // bytes of it that the program did not write
	memory    int64  // limit in bytes; 0 for none
	processes int    // limit; 0 for none

	peak    int64
	crowded bool // the limit of processes was reached
}

// interval is how often a watch looks. In one, a program can take some 100 MB.
const interval = 50 * time.Millisecond

// run looks until done is closed and calls stop when there is too little memory.
func (w *watch) run(done <-chan struct{}, stop func(Reason)) {
	w.filled = w.written()
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-t.C:
			if w.look() {
				stop(OutOfMemory)
				return
			}
		}
	}
}

// look reports whether the memory limit was broken.
func (w *watch) look() bool {
	if _, ok := w.group["memory"]; ok {
		return w.group.killed() > 0
	}
	used, threads := w.sum(residentOf)
	if w.memory > 0 && used > w.memory {
		used, _ = w.sum(privateOf) // what processes share was counted once for each
	}
	w.peak = max(w.peak, used)
	w.crowded = w.crowded || w.processes > 0 && threads >= w.processes
	return w.memory > 0 && used > w.memory
}

// sum adds up the memory of all processes but the keeper, and what was written
// to volumes.
func (w *watch) sum(memoryOf func(dir string) int64) (memory int64, threads int) {
	names, _ := os.ReadDir(w.proc) // gone when the keeper is
	for _, n := range names {
		if pid, err := strconv.Atoi(n.Name()); err != nil || pid == 1 {
			continue
		}
		dir := filepath.Join(w.proc, n.Name())
		memory += memoryOf(dir)
		if w.processes > 0 {
			tasks, _ := os.ReadDir(filepath.Join(dir, "task"))
			threads += len(tasks)
		}
	}
	return memory + max(0, w.written()-w.filled), threads
}

func (w *watch) written() (n int64) {
	for _, fd := range w.volumes {
		var fs unix.Statfs_t
		if unix.Fstatfs(fd, &fs) == nil {
			n += int64(fs.Blocks-fs.Bfree) * fs.Bsize
		}
	}
	return n
}

// residentOf returns the bytes that are a process's and not a file's
// (proc_pid_statm(5): resident without shared).
func residentOf(dir string) int64 {
	text, _ := os.ReadFile(filepath.Join(dir, "statm"))
	var size, resident, shared int64
	_, _ = fmt.Sscan(string(text), &size, &resident, &shared)
	return (resident - shared) * int64(os.Getpagesize())
}

// privateOf is residentOf with each page divided among those that share it.
func privateOf(dir string) int64 {
	text, _ := os.ReadFile(filepath.Join(dir, "smaps_rollup"))
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "Pss_Anon:"); ok {
			return number(strings.TrimSuffix(strings.TrimSpace(v), " kB")) << 10
		}
	}
	return residentOf(dir)
}
