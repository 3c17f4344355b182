package run

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/launch"
	"github.com/sallyport/sallyport/internal/project"
)

// variables returns the whole environment of a stage: nothing of the host's,
// and what makes training repeatable set before any library reads it. Thread
// counts follow the CPU limit, because sums in another order differ. A shard is
// told which it is.
func variables(cores int, st project.Stage) []string {
	n := strconv.Itoa(cores)
	all := []string{
		"CUBLAS_WORKSPACE_CONFIG=:4096:8",
		"HOME=/tmp",
		"LANG=C.UTF-8",
		"LC_ALL=C.UTF-8",
		"MKL_NUM_THREADS=" + n,
		"NUMEXPR_NUM_THREADS=" + n,
		"OMP_NUM_THREADS=" + n,
		"OPENBLAS_NUM_THREADS=" + n,
		"ORT_DISABLE_TELEMETRY=1", // ONNX Runtime 1.29 and later report to their maker
		"PATH=" + launch.EnvDir + "/bin:/usr/local/bin:/usr/bin:/bin",
		"PYTHONDONTWRITEBYTECODE=1",
		"PYTHONHASHSEED=0",
		"PYTHONUNBUFFERED=1",
		"SALLYPORT_STAGE=" + st.Name,
		"TF_DETERMINISTIC_OPS=1",
		"TMPDIR=/tmp",
		"TZ=UTC",
	}
	if st.Shard > 0 {
		all = append(all, "SALLYPORT_SHARD="+strconv.Itoa(st.Shard), "SALLYPORT_SHARDS="+strconv.Itoa(st.Shards))
	}
	return all
}

// thisHost describes the machine, as far as it tells.
func thisHost() Host {
	h := Host{Sallyport: Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU()}
	h.Kernel = firstLine("/proc/sys/kernel/osrelease")
	h.CPU = field("/proc/cpuinfo", "model name")
	if kb, ok := strings.CutSuffix(field("/proc/meminfo", "MemTotal"), " kB"); ok {
		n, _ := strconv.ParseInt(kb, 10, 64)
		h.Memory = n << 10
	}
	return h
}

func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			v = fmt.Sprintf("%s %s", v, s.Value[:12])
		}
	}
	return v
}

func firstLine(path string) string {
	b, _ := os.ReadFile(path)
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

// field returns the value of the first "name : value" line of a /proc file.
func field(path, name string) string {
	b, _ := os.ReadFile(path)
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
