//go:build amd64 || arm64

package sandbox

import (
	"cmp"
	"errors"
	"math"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
)

// defaultProcesses is the limit where none is given: enough for anything that
// works, too little to choke a machine.
const defaultProcesses = 4096

// System returns what programs need of the machine itself to start: its
// programs and libraries. Folders that are links into /usr are there anyway.
func System() []Bind {
	var out []Bind
	for _, dir := range append([]string{"/usr", "/etc/alternatives"}, merged...) {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() {
			out = append(out, Bind{dir, dir})
		}
	}
	return out
}

// furniture returns what is inside in any case: the devices that cannot do
// harm, the linker's cache, the local time, and room for scratch files.
func furniture(c *Config) []mount {
	var out []mount
	for _, name := range []string{"null", "zero", "full", "random", "urandom"} {
		out = append(out, mount{Source: "/dev/" + name, Target: "/dev/" + name, Device: true})
	}
	files := []string{"/etc/ld.so.cache", "/etc/localtime"}
	if len(c.Network) > 0 {
		files = append(files, "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/ca-certificates")
	}
	for _, f := range files {
		if _, err := os.Stat(f); err == nil {
			out = append(out, mount{Source: f, Target: f})
		}
	}
	for _, dir := range []string{"/tmp", "/dev/shm"} {
		out = append(out, mount{Target: dir, Writable: true, Mode: 0o1777, Size: c.Limits.Memory, Inodes: 1 << 18})
	}
	return out
}

// layOut returns the mounts of c in the order in which they are attached, and
// for each volume of c its place in that order.
func layOut(c *Config) (mounts []mount, volumes map[int]*Volume, err error) {
	taken := make(map[string]*Volume)
	add := func(target string, m mount, v *Volume) error {
		if err := checkTarget(target); err != nil {
			return err
		}
		if _, ok := taken[target]; ok {
			return sallyport.Errorf(sallyport.Invalid, "two things are put at one place inside").At("%s", target)
		}
		taken[target] = v
		m.Target = target
		mounts = append(mounts, m)
		return nil
	}
	for _, b := range c.Binds {
		if _, err := os.Stat(b.Source); err != nil {
			return nil, nil, cannotBind(b.Target, err)
		}
		if err := add(b.Target, mount{Source: b.Source}, nil); err != nil {
			return nil, nil, err
		}
	}
	for i := range c.Volumes {
		v := &c.Volumes[i]
		if err := add(v.Target, mount{Writable: v.Writable, File: v.File, Size: v.Size, Mode: 0o755}, v); err != nil {
			return nil, nil, err
		}
	}
	for _, m := range furniture(c) {
		if _, ok := taken[m.Target]; !ok {
			mounts = append(mounts, m)
		}
	}
	slices.SortFunc(mounts, func(a, b mount) int { return cmp.Compare(a.Target, b.Target) })
	volumes = make(map[int]*Volume)
	for i, m := range mounts {
		if v := taken[m.Target]; v != nil {
			volumes[i] = v
		}
	}
	return mounts, volumes, nil
}

// checkTarget wants an absolute path that is written in one way only, and leaves
// /proc and what the sandbox needs itself alone.
func checkTarget(t string) error {
	if !path.IsAbs(t) || path.Clean(t) != t || t == "/" || strings.ContainsRune(t, 0) {
		return sallyport.Errorf(sallyport.Invalid, "not a place inside").At("%q", t).
			Try("give an absolute path without . and .. in it, below the root")
	}
	for _, ours := range []string{"/proc", "/dev", hidden} {
		if t == ours || strings.HasPrefix(t, ours+"/") && t != "/dev/shm" {
			return sallyport.Errorf(sallyport.Invalid, "this place belongs to the sandbox").At("%s", t)
		}
	}
	return nil
}

func cannotBind(target string, err error) error {
	kind, what := sallyport.Denied, "cannot be read"
	if errors.Is(err, os.ErrNotExist) {
		kind, what = sallyport.NotFound, "does not exist"
	}
	return sallyport.Errorf(kind, "what is to be shown there %s", what).At("%s", target).
		Try("check that the file or folder of the host is there and readable")
}

// checkLimits wants limits that mean something.
func checkLimits(l Limits) error {
	if l.CPU < 0 || math.IsNaN(l.CPU) || math.IsInf(l.CPU, 0) || l.Memory < 0 || l.Time < 0 || l.Processes < 0 || l.FileSize < 0 {
		return sallyport.Errorf(sallyport.Invalid, "a limit is negative or no number").Try("leave a limit out, or give it a positive value")
	}
	return nil
}

// resourcesOf returns what the keeper must hold because no group does.
func resourcesOf(l Limits, g group) resources {
	r := resources{FileSize: l.FileSize}
	if _, ok := g["memory"]; !ok && l.Memory > 0 {
		// Watching finds what all have together. This is for the one that takes
		// more than it can see in time.
		r.Data = 2 * min(l.Memory, math.MaxInt64/2)
	}
	if _, ok := g["pids"]; !ok {
		r.Processes = int64(cmp.Or(l.Processes, defaultProcesses)) + keeperThreads
	}
	if _, ok := g["cpu"]; !ok && l.CPU > 0 && l.CPU <= float64(runtime.NumCPU()-1) {
		r.Cores = int64(math.Ceil(l.CPU))
	}
	return r
}
