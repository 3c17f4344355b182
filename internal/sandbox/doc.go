// Package sandbox runs one program so that it can read what it was given,
// write where it was told to, and reach nothing else.
//
// Run starts a keeper, a second copy of this executable, as process 1 of fresh
// user, mount, PID, network, IPC, UTS and cgroup namespaces. The keeper builds
// a file system out of nothing, gives up every privilege on the one thread that
// starts the program, and reports how it ended. The caller's process, the
// supervisor, fills and empties volumes, answers the program's attempts to
// reach the network, and ends the keeper, with which the kernel ends all the
// rest.
//
// Five walls stand behind one another, each enough for most attacks:
//
//   - a root of its own, in which everything bound from the host is read-only;
//   - a network namespace without a way out, into which no socket of the host
//     is ever passed: an allowed host is reached through a relay;
//   - no capabilities, an empty bounding set, no new privileges, and a user ID
//     that owns nothing on the host;
//   - a seccomp allow-list, under which what could name a destination goes to
//     the supervisor first;
//   - Landlock where the kernel has it.
//
// Where one of the first four cannot be built, Run and Preflight return an
// error of kind Unconfined and nothing is started.
//
// The package claims the process in its init function when that process is a
// keeper; any other process that imports it pays one comparison.
package sandbox
