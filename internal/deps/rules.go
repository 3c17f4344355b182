package deps

// A RuleInfo explains a rule.
type RuleInfo struct {
	ID      Rule
	Verdict Verdict // what a finding does to the whole if nobody has decided about it
	Short   string
	Help    string
}

// rules lists what is known to be wrong (Blocked), what could not be decided
// (Unknown), and what a person may want to know (Passed).
var rules = []RuleInfo{
	{Vulnerable, Blocked, "An advisory affects this version",
		"Move to a version in which it is fixed and make the lock again. If the weakness cannot be reached, say so in the policy file, with an owner, a reason and a day on which it is looked at again."},
	{Malicious, Blocked, "The package is an attack",
		"Remove it. Whatever it ran on has to be looked at: keys, tokens and data that were within its reach are known to somebody else."},
	{Yanked, Blocked, "Its authors have withdrawn this version",
		"Move to another version and make the lock again."},
	{Unread, Unknown, "Something is asked for that cannot be checked",
		"Pin it to one version, best with hashes: make a lock of it."},
	{Altered, Blocked, "An installed file is not the one that was installed",
		"Find out who changed it, and install the environment anew."},
	{Stray, Unknown, "An installed file belongs to no package",
		"Find out where it comes from, and install the environment anew."},
	{Unverified, Blocked, "Its attestation does not hold",
		"Do not install the file: get it again, and ask its authors if it stays so."},
	{Confusion, Blocked, "Two indexes may answer for one name",
		"Name one index, or pin every package by hash: whoever takes a name on the other index is installed otherwise."},
	{Foreign, Blocked, "It comes from an index that is not on the list",
		"Use an index of the policy file's list, or have this one added to it."},
	{Young, Passed, "It was published only just now",
		"Wait: most malicious releases are found within days."},
	{Unhashed, Passed, "It is pinned, but not to its bytes",
		"Make the lock with hashes: pip-compile --generate-hashes or uv pip compile --generate-hashes."},
	{Lookalike, Passed, "Its name is one slip away from a popular one",
		"See that it is the package that is meant."},
	{BuildCode, Passed, "Installing it runs its code",
		"Prefer a wheel. Sallyport builds from source only where the project says allow-builds."},
	{StartCode, Passed, "Starting Python runs code of it",
		"See that you expect it: a .pth file runs before the first line of a program."},
	{Misnamed, Passed, "An archive's name and what is in it differ",
		"See that it is the one that is meant: honest archives differ like this now and then."},
	{Stale, Unknown, "The advisories are too old, or there are none",
		"Bring newer ones in with: sallyport deps update"},
	{BadDecision, Passed, "A decision does not count any more",
		"Look at it again: renew it, or remove it from the policy file."},
}

// Rules lists every rule.
func Rules() []RuleInfo { return rules }

// Info returns what is known of a rule.
func (r Rule) Info() RuleInfo {
	for _, info := range rules {
		if info.ID == r {
			return info
		}
	}
	return RuleInfo{ID: r, Verdict: Unknown}
}

// rank orders verdicts from the best to the worst. One that is not known is no
// pass.
func (v Verdict) rank() int {
	switch v {
	case Passed:
		return 0
	case Blocked:
		return 2
	}
	return 1
}

// worse returns the worse of two verdicts.
func worse(a, b Verdict) Verdict {
	if b.rank() > a.rank() {
		return b
	}
	return a
}
