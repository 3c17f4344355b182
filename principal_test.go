package sallyport

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestMay is who may do what, as a table to read. An x allows.
func TestMay(t *testing.T) {
	const table = `
		                             developer  steward  operator  reviewer  auditor
		enrol principals                 .         x        .         .         .
		add data                         .         x        .         .         .
		open real records                .         x        x         .         .
		run code on real data            .         .        x         .         .
		open the output of a run         .         x        x         x         .
		take a model out                 .         .        x         x         .
		waive findings                   .         .        .         x         .
		take a person out                .         x        .         .         .
		bring advisories in              .         x        x         x         x
		read the ledger                  x         x        x         x         x
	`
	lines := strings.Split(strings.TrimSpace(table), "\n")
	roles := strings.Fields(lines[0])
	said := map[Action]bool{}
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		words, marks := fields[:len(fields)-len(roles)], fields[len(fields)-len(roles):]
		action := Action(strings.Join(words, " "))
		said[action] = true
		var who []Role
		for i, mark := range marks {
			p := Principal{Name: "somebody", Roles: []Role{Role(roles[i])}}
			err := p.May(action)
			if may := mark == "x"; may != (err == nil) {
				t.Errorf("a %s may %s: %v, want %v", roles[i], action, err == nil, may)
			}
			if err != nil && !Is(err, Denied) {
				t.Errorf("a %s may not %s: %v, want Denied", roles[i], action, KindOf(err))
			}
			if mark == "x" {
				who = append(who, Role(roles[i]))
			}
		}
		if !slices.Equal(Who(action), who) {
			t.Errorf("who may %s: %v, want %v", action, Who(action), who)
		}
	}
	for action := range maps.Keys(allowed) {
		if !said[action] {
			t.Errorf("the table does not say who may %s", action)
		}
	}
}

func TestMayAmongSeveral(t *testing.T) {
	both := Principal{Name: "alice", Roles: []Role{Developer, Operator}}
	if err := both.May(RunReal); err != nil {
		t.Error(err)
	}
	for name, p := range map[string]Principal{
		"nobody":            {},
		"a role unheard of": {Name: "alice", Roles: []Role{"admin", ""}},
	} {
		for action := range allowed {
			if p.May(action) == nil {
				t.Errorf("%s may %s", name, action)
			}
		}
	}
	everybody := Principal{Name: "alice", Roles: Roles}
	if err := everybody.May("do as they like"); !Is(err, Denied) {
		t.Errorf("an action that nobody was given: %v, want Denied", err)
	}
}

func TestMaySaysWho(t *testing.T) {
	err := Principal{Name: "alice", Roles: []Role{Developer}}.May(OpenRun).(*Error)
	if err.Msg != "alice may not open the output of a run" || !strings.Contains(err.Mend, "steward or operator or reviewer") {
		t.Errorf("%q, %q", err.Msg, err.Mend)
	}
}

func TestParseRoles(t *testing.T) {
	for in, want := range map[string][]Role{
		"steward":                          {Steward},
		"steward, operator":                {Steward, Operator},
		"operator,operator,auditor":        {Operator, Auditor},
		" developer ,\treviewer\n,steward": {Developer, Reviewer, Steward},
	} {
		if got, err := ParseRoles(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", ",", "steward,", "Steward", "admin", "steward operator", "steward;operator"} {
		if got, err := ParseRoles(in); !Is(err, Usage) || got != nil {
			t.Errorf("%q: %v, %v; want Usage", in, got, err)
		}
	}
}

func FuzzParseRoles(f *testing.F) {
	f.Add("steward,operator")
	f.Add(" auditor , auditor")
	f.Add("admin")
	f.Fuzz(func(t *testing.T, s string) {
		roles, err := ParseRoles(s)
		if err != nil {
			return
		}
		if len(roles) == 0 || len(roles) > len(Roles) {
			t.Fatalf("%q: %d roles", s, len(roles))
		}
		for i, r := range roles {
			if !slices.Contains(Roles, r) || slices.Contains(roles[:i], r) {
				t.Fatalf("%q: %v", s, roles)
			}
		}
	})
}
