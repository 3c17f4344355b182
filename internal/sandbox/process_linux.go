//go:build amd64 || arm64

package sandbox

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// A process is who made an attempt. Its name is the program's own choice.
type process struct {
	name  string
	group int // the process's ID as this one sees it
	pid   int // and as it is seen inside
}

// processOf reads what the kernel knows of the process of a thread; what cannot
// be read stays zero.
func processOf(thread int) (p process) {
	f, err := os.Open("/proc/" + strconv.Itoa(thread) + "/status")
	if err != nil {
		return p
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), ":")
		switch value = strings.TrimSpace(value); key {
		case "Name":
			p.name = value
		case "Tgid":
			p.group, _ = strconv.Atoi(value)
		case "NStgid": // one for every PID namespace, the innermost last
			p.pid, _ = strconv.Atoi(value[strings.LastIndexByte(value, '\t')+1:])
			return p
		}
	}
	return p
}
