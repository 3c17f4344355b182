package ledger

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The test binary runs itself with this variable set to be another process: a
// writer on the site in the folder that it names.
const (
	childDir  = "LEDGER_TEST_DIR"
	childKey  = "LEDGER_TEST_KEY"
	childName = "LEDGER_TEST_NAME"
	childMany = "LEDGER_TEST_MANY"
)

func TestMain(m *testing.M) {
	if os.Getenv(childDir) != "" {
		if err := beWriter(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// beWriter appends entries, some to a transaction, and prints the name of each
// object once it is told that it is kept.
func beWriter() error {
	skey, vkey, _ := strings.Cut(os.Getenv(childKey), "\n")
	s := &site{dir: os.Getenv(childDir), skey: skey, vkey: vkey}
	db, log, err := s.tryOpen()
	if err != nil {
		return err
	}
	defer db.Close()
	many, err := strconv.Atoi(os.Getenv(childMany))
	if err != nil {
		return err
	}
	for i := range many {
		var names []string
		err := log.Update(context.Background(), "alice", func(tx *Tx) error {
			for j := range 1 + i%3 {
				name := fmt.Sprintf("%s-%d-%d", os.Getenv(childName), i, j)
				names = append(names, name)
				if _, err := tx.Put("k.put", "k", name, strings.Repeat("x", 100*i%5000), nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Println(strings.Join(names, "\n"))
	}
	return nil
}

// writer returns the command that is another process.
func (s *site) writer(t *testing.T, name string, many int) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childDir+"="+s.dir, childKey+"="+s.skey+"\n"+s.vkey,
		childName+"="+name, childMany+"="+strconv.Itoa(many))
	cmd.Stderr = os.Stderr
	return cmd
}

// wantAll checks that each object that a process was told is kept is there.
func (s *site) wantAll(t *testing.T, names []string) {
	t.Helper()
	for _, name := range names {
		if _, err := s.get("k", name); err != nil {
			t.Errorf("%s is lost: %v", name, err)
		}
	}
}

func TestProcessesWriteAtOnce(t *testing.T) {
	s := newSite(t)
	const processes, many = 4, 10
	var mu sync.Mutex
	var kept []string
	var wg sync.WaitGroup
	for p := range processes {
		cmd := s.writer(t, fmt.Sprint(p), many)
		wg.Go(func() {
			out, err := cmd.Output()
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			kept = append(kept, strings.Fields(string(out))...)
		})
	}
	wg.Wait()
	if want := processes * (4*1 + 3*2 + 3*3); len(kept) != want {
		t.Errorf("%d entries were acknowledged, want %d", len(kept), want)
	}
	if r := s.verify(t); r.Size != int64(len(kept)) {
		t.Errorf("%d entries are there, and %d were acknowledged", r.Size, len(kept))
	}
	s.wantAll(t, kept)
}

// TestKilledProcesses kills a process at random moments of its writing, again
// and again on one site. Nothing that was acknowledged is lost, and the site is
// whole without repair.
func TestKilledProcesses(t *testing.T) {
	s := newSite(t)
	s.db.Close()
	random := rand.New(rand.NewPCG(3, 4))
	var kept []string
	const rounds = 15
	for round := range rounds {
		cmd := s.writer(t, fmt.Sprint(round), 1_000_000)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 1 + random.IntN(20) {
			if !lines.Scan() {
				t.Fatal("the writer ended by itself")
			}
			kept = append(kept, lines.Text())
		}
		time.Sleep(time.Duration(random.IntN(5000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it said before it died
			kept = append(kept, lines.Text())
		}
		cmd.Wait()

		s.open(t)
		r := s.verify(t)
		if r.Size < int64(len(kept)) {
			t.Fatalf("round %d: %d entries are there, and %d were acknowledged", round, r.Size, len(kept))
		}
		if round == rounds-1 {
			s.wantAll(t, kept)
		}
		s.db.Close()
	}
	t.Logf("killed %d times; %d entries were acknowledged", rounds, len(kept))
}
