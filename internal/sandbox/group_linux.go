//go:build amd64 || arm64

package sandbox

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A group is the control group of one run: a folder in each hierarchy that was
// needed and could be had. The zero value has none.
type group map[string]place // by controller: memory, cpu, pids

type place struct {
	dir     string
	version int
}

// hierarchies says where this process stands: one folder for each controller of
// version 1, and one for version 2.
type hierarchies struct {
	v1      map[string]string
	v2, top string // top is the highest folder of version 2 that is in sight
}

// parseHierarchies reads /proc/self/cgroup (cgroups(7)) and /proc/self/mountinfo
// (proc_pid_mountinfo(5)).
func parseHierarchies(cgroup, mountinfo string) hierarchies {
	type point struct{ root, dir string }
	points := make(map[string]point) // by controller; "" for version 2
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || len(g) < 3 || !filepath.IsAbs(f[4]) {
			continue
		}
		switch g[0] {
		case "cgroup2":
			points[""] = point{f[3], f[4]}
		case "cgroup":
			for _, option := range strings.Split(g[2], ",") {
				points[option] = point{f[3], f[4]}
			}
		}
	}
	h := hierarchies{v1: make(map[string]string)}
	for line := range strings.Lines(cgroup) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) != 3 {
			continue
		}
		for _, c := range strings.Split(f[1], ",") {
			at, ok := points[c]
			rest, below := strings.CutPrefix(f[2], strings.TrimSuffix(at.root, "/"))
			if !ok || !below || rest != "" && rest[0] != '/' || strings.Contains(rest, "/..") {
				continue
			}
			if dir := filepath.Join(at.dir, rest); c == "" {
				h.v2, h.top = dir, filepath.Clean(at.dir)
			} else {
				h.v1[c] = dir
			}
		}
	}
	return h
}

func ownHierarchies() hierarchies {
	cgroup, _ := os.ReadFile("/proc/self/cgroup") // without it there is none
	mountinfo, _ := os.ReadFile("/proc/self/mountinfo")
	return parseHierarchies(string(cgroup), string(mountinfo))
}

// groupCount tells the groups of one supervisor apart.
var groupCount atomic.Int64

// makeGroup makes a group for those of the controllers that can be had and puts
// the limits on it. What is missing in the result must be held otherwise.
func makeGroup(h hierarchies, l Limits) group {
	need := make(map[string]bool)
	if l.Memory > 0 {
		need["memory"] = true
	}
	if l.CPU > 0 {
		need["cpu"] = true
	}
	if l.Processes > 0 {
		need["pids"] = true
	}
	g := make(group)
	name := fmt.Sprintf("sallyport-%d-%d", os.Getpid(), groupCount.Add(1))
	if dir := h.delegated(need); dir != "" {
		sweep(dir)
		if own := filepath.Join(dir, name); os.Mkdir(own, 0o755) == nil {
			for c := range need {
				if g[c] = (place{own, 2}); g.limit(c, l) != nil {
					delete(g, c)
				}
			}
			if len(g) == 0 {
				_ = os.Remove(own)
			}
		}
	}
	for c := range need {
		dir, ok := h.v1[c]
		if _, have := g[c]; have || !ok {
			continue
		}
		sweep(dir)
		own := filepath.Join(dir, name)
		if os.Mkdir(own, 0o755) != nil {
			continue
		}
		if g[c] = (place{own, 1}); g.limit(c, l) != nil {
			delete(g, c)
			_ = os.Remove(own)
		}
	}
	return g
}

// delegated returns the nearest folder, from this process's own upwards, that
// hands the needed controllers down, memory first of all, and in which a folder
// can be made.
func (h hierarchies) delegated(need map[string]bool) string {
	if h.v2 == "" || len(need) == 0 {
		return ""
	}
	for dir := h.v2; ; dir = filepath.Dir(dir) {
		control, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control"))
		if err != nil {
			return ""
		}
		down := strings.Fields(string(control))
		some := slices.ContainsFunc(down, func(c string) bool { return need[c] })
		if some && (!need["memory"] || slices.Contains(down, "memory")) &&
			syscall.Access(filepath.Join(dir, "cgroup.procs"), 2) == nil { // to put a process below
			return dir
		}
		if dir == h.top || dir == "/" {
			return ""
		}
	}
}

// sweep removes what supervisors that were killed have left: an empty group
// takes nothing, but they would add up.
func sweep(dir string) {
	old, _ := filepath.Glob(filepath.Join(dir, "sallyport-*-*"))
	for _, o := range old {
		f := strings.Split(filepath.Base(o), "-")
		if pid, err := strconv.Atoi(f[1]); err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = syscall.Rmdir(o)
		}
	}
}

// keeperThreads is room for the keeper's own threads, of which it has about six.
const keeperThreads = 16

func (g group) limit(controller string, l Limits) error {
	const period = 100_000 // µs
	quota := strconv.Itoa(max(1000, int(math.Round(l.CPU*period))))
	switch v2 := g[controller].version == 2; controller {
	case "memory":
		if v2 {
			_ = g.write("memory", "memory.swap.max", "0") // absent where nothing swaps
			return g.write("memory", "memory.max", strconv.FormatInt(l.Memory, 10))
		}
		if err := g.write("memory", "memory.limit_in_bytes", strconv.FormatInt(l.Memory, 10)); err != nil {
			return err
		}
		_ = g.write("memory", "memory.memsw.limit_in_bytes", strconv.FormatInt(l.Memory, 10))
	case "cpu":
		if v2 {
			return g.write("cpu", "cpu.max", fmt.Sprint(quota, " ", period))
		}
		return errors.Join(g.write("cpu", "cpu.cfs_period_us", strconv.Itoa(period)), g.write("cpu", "cpu.cfs_quota_us", quota))
	case "pids":
		return g.write("pids", "pids.max", strconv.Itoa(l.Processes+keeperThreads))
	}
	return nil
}

func (g group) write(controller, file, value string) error {
	return os.WriteFile(filepath.Join(g[controller].dir, file), []byte(value), 0o600)
}

// join puts a process into the group.
func (g group) join(pid int) error {
	for c := range g {
		if err := g.write(c, "cgroup.procs", strconv.Itoa(pid)); err != nil {
			return err
		}
	}
	return nil
}

// holds says what holds a limit, or otherwise.
func (g group) holds(controller, otherwise string) string {
	if p, ok := g[controller]; ok {
		return fmt.Sprint("cgroup v", p.version)
	}
	return otherwise
}

// killed counts the processes that were killed for lack of memory.
func (g group) killed() int64 {
	if g["memory"].version == 2 {
		return g.event("memory", "memory.events", "oom_kill ")
	}
	return g.event("memory", "memory.oom_control", "oom_kill ")
}

// refused counts the processes and threads that were not allowed.
func (g group) refused() int64 { return g.event("pids", "pids.events", "max ") }

// peak returns the most memory that all had at one time, or 0 where the kernel
// does not say.
func (g group) peak() int64 {
	if g["memory"].version == 2 {
		return g.event("memory", "memory.peak", "")
	}
	return g.event("memory", "memory.max_usage_in_bytes", "")
}

// event reads a number: the one after key in a file of keys and numbers, or the
// only one.
func (g group) event(controller, file, key string) int64 {
	p, ok := g[controller]
	if !ok {
		return 0
	}
	text, err := os.ReadFile(filepath.Join(p.dir, file))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, key); ok {
			return number(strings.TrimSpace(value))
		}
	}
	return 0
}

// number reads what the kernel writes as a decimal; anything else is 0.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// remove removes the group, in which nothing runs any more. The kernel may take
// a moment to see that.
func (g group) remove() {
	for _, p := range g {
		for range 200 {
			if err := syscall.Rmdir(p.dir); !errors.Is(err, syscall.EBUSY) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}
