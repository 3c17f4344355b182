package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) depsUpdateCommand() *cobra.Command {
	var from []string
	var trust, asOf string
	var again bool
	c := &cobra.Command{
		Use:   "update --from FILE|FOLDER|URL",
		Short: "Bring advisories into the site",
		Long: `Bring advisories into the site. A bundle that "sallyport deps bundle" made is
believed if somebody signed it whom the site knows and who may bring advisories
in, and if it is newer than the one before. Anything else (an archive or folder
of OSV records, lists of exploited weaknesses, documents of a package index) is
made into a bundle first, signed by you.

Everything that the site has ever run is then checked again: what is known now
and was not when a model was trained becomes an incident, with an owner, a
deadline and a next step (sallyport incidents).`,
		Example: `  sallyport deps update --from advisories.bundle
  sallyport deps update --from all.zip --from epss_scores-current.csv.gz
  sallyport deps update --from advisory-database/vulns --as-of 2026-11-20`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.depsUpdate(c.Context(), from, trust, asOf, again) },
	}
	f := c.Flags()
	f.StringArrayVar(&from, "from", nil, "a bundle, or a `source` of advisories; several sources become one bundle")
	f.StringVar(&trust, "trust", "", "the trust `file` of the site whose people signed the bundle (default: this site)")
	f.StringVar(&asOf, "as-of", "", "the `day` on which sources were fetched and complete (default: of their newest record)")
	f.BoolVar(&again, "again", false, "import the bundle also if the site has it already")
	_ = c.MarkFlagRequired("from")
	return c
}

func (a *app) depsUpdate(ctx context.Context, from []string, trustFile, asOf string, again bool) error {
	return a.with(ctx, func(s *site.Site) error {
		if err := s.Who.May(sallyport.Advise); err != nil {
			return err
		}
		f, place, err := a.bundleOf(ctx, s, from, asOf)
		if err != nil {
			return err
		}
		defer f.Close()
		trust, err := s.Trust(ctx)
		if trustFile != "" {
			trust, _, err = a.trust(ctx, trustFile)
		}
		if err != nil {
			return err
		}
		b, err := deps.OpenBundle(place, f, trust)
		if err != nil {
			return err
		}
		defer b.Close()
		a.say("importing %s advisories\n", count(int64(b.Records)))
		out, err := s.Deps().Import(ctx, b, again)
		if err != nil {
			return err
		}
		return a.show(out, func() { a.printOutcome(out) })
	})
}

// bundleOf opens the bundle that was given, or makes one of the sources.
func (a *app) bundleOf(ctx context.Context, s *site.Site, from []string, asOf string) (*os.File, string, error) {
	if len(from) == 1 && !strings.Contains(from[0], "://") {
		f, err := os.Open(from[0])
		if err != nil {
			return nil, "", sallyport.Errorf(sallyport.NotFound, "there is no such file or folder").At("%s", from[0])
		}
		if deps.IsBundle(f) {
			return f, from[0], nil
		}
		f.Close()
	}
	day, err := dayOf(asOf)
	if err != nil {
		return nil, "", err
	}
	o := deps.MakeOptions{AsOf: day, Note: func(text string) { a.say("%s\n", text) }}
	if len(from) == 1 && strings.Contains(from[0], "://") {
		got, err := deps.Fetch(ctx, from[0])
		if err != nil {
			return nil, "", err
		}
		if deps.IsBundle(got) {
			return got, "bundle", nil
		}
		defer got.Close()
		o.Fetched = map[string]*os.File{from[0]: got}
	}
	f, err := os.CreateTemp("", "sallyport-bundle-")
	if err != nil {
		return nil, "", err
	}
	os.Remove(f.Name()) // some systems remove it only once it is closed; what it holds is public
	made, err := deps.Make(ctx, f, from, s.Me, s.Who.Name, o)
	if err != nil {
		f.Close()
		return nil, "", err
	}
	a.sayUnread(made)
	_, err = f.Seek(0, io.SeekStart)
	return f, "bundle", err
}

// dayOf reads a day, "today", or nothing.
func dayOf(s string) (time.Time, error) {
	switch s {
	case "":
		return time.Time{}, nil
	case "today":
		return time.Now().UTC().Truncate(24 * time.Hour), nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, sallyport.Errorf(sallyport.Usage, "%q is not a day", s).Try("write it like 2026-11-20, or today")
	}
	return t, nil
}

// sayUnread tells of records that nobody could read. They are in the bundle, and
// affect every version of their package.
func (a *app) sayUnread(m *deps.Made) {
	const few = 5
	for i, u := range m.Unread {
		if i == few {
			a.say("  … and %s more: sallyport deps bundle --json lists them\n", count(int64(len(m.Unread)-few)))
			break
		}
		a.say("  not understood, and therefore about every version: %s\n", plain(strings.TrimSpace(u.Package+" "+u.ID+": "+u.Why)))
	}
}

func (a *app) printOutcome(o *deps.Outcome) {
	n := o.Advisories
	a.print("%s advisories as of %s (number %d, by %s)\n", count(int64(n.Records)), n.AsOf.Format(time.DateOnly), n.Serial, n.By)
	if o.Packages == 0 {
		a.print("nothing has run here yet in an environment of its own\n")
		return
	}
	a.print("%s checked again, %s in all: something new about %s\n",
		many(int64(o.Runs), "run"), many(int64(o.Packages), "package"), many(int64(o.Affected), "run"))
	if o.Unread > 0 {
		a.print("%s could not be compared: their versions are none by PEP 440\n", many(int64(o.Unread), "package"))
	}
	if len(o.Opened)+len(o.Extended) > 0 {
		a.print("\n")
		a.printIncidents(append(o.Opened, o.Extended...))
		a.print("\nsee each with: sallyport incidents show ID\n")
	}
}

func (a *app) depsBundleCommand() *cobra.Command {
	var from []string
	var out, asOf string
	c := &cobra.Command{
		Use:   "bundle --from SOURCE… -o FILE",
		Short: "Make a bundle of advisories, to carry across an air gap",
		Long: `Make a bundle of advisories: one file that holds the sources' own records, with
a statement of what they are, as of which day, signed by you. It is numbered by
the second in which it was made, so that a site which has gone by a later one
refuses it.

A source is a file, a folder, an archive (zip, tar, tar.gz, tar.zst) or an https
URL of OSV records (JSON or YAML), of CISA's list of exploited weaknesses, of
EPSS scores, or of a package index's documents (PEP 691), which tell what was
withdrawn and when it was published.`,
		Example: `  sallyport deps bundle -o advisories.bundle \
      --from https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip \
      --from known_exploited_vulnerabilities.json \
      --from epss_scores-current.csv.gz`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.depsBundle(c.Context(), from, out, asOf) },
	}
	f := c.Flags()
	f.StringArrayVar(&from, "from", nil, "a `source` of advisories; may be given several times")
	f.StringVarP(&out, "output", "o", "", "the `file` to write, which must not be there")
	f.StringVar(&asOf, "as-of", "", "the `day` on which sources were fetched and complete (default: of their newest record)")
	_ = c.MarkFlagRequired("from")
	_ = c.MarkFlagRequired("output")
	return c
}

func (a *app) depsBundle(ctx context.Context, from []string, out, asOf string) error {
	day, err := dayOf(asOf)
	if err != nil {
		return err
	}
	return a.with(ctx, func(s *site.Site) (err error) {
		if err := s.Who.May(sallyport.Advise); err != nil {
			return err
		}
		f, err := os.OpenFile(out, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return sallyport.Errorf(sallyport.Usage, "cannot write the bundle: %w", err).Try("name a file that is not there yet")
		}
		defer func() {
			if err != nil {
				os.Remove(out)
			}
		}()
		defer f.Close()
		made, err := deps.Make(ctx, f, from, s.Me, s.Who.Name, deps.MakeOptions{AsOf: day, Note: func(text string) { a.say("%s\n", text) }})
		if err != nil {
			return err
		}
		a.sayUnread(made)
		return a.show(made, func() {
			a.print("%s advisories as of %s, number %d, %s\n", count(int64(made.Records)), made.AsOf.Format(time.DateOnly), made.Serial, sallyport.Size(made.Bytes))
			a.print("%s, signed by %s\n", fmt.Sprint(made.Digest), made.By)
		})
	})
}

func (a *app) depsWatchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "watch",
		Short: "Show what was published about runs since they were made",
		Long: `Show what the site's advisories say about everything that it has ever run, and
that nobody knew when it ran: which package, which runs, which models. It
changes nothing; incidents are opened when advisories are brought in.

Exit code 0: nothing is new, or every incident is closed. 1: something is new
and open. 3: the site has no advisories.`,
		Example: `  sallyport deps watch`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.look(c.Context(), func(s *site.Site) error { return a.depsWatch(c.Context(), s) })
		},
	}
}

func (a *app) depsWatch(ctx context.Context, s *site.Site) error {
	w, err := s.Deps().Watch(ctx)
	if err != nil {
		return err
	}
	if err := a.show(w, func() { a.printWatched(w) }); err != nil {
		return err
	}
	open := 0
	for _, n := range w.News {
		if n.Status != deps.IncidentClosed {
			open++
		}
	}
	switch {
	case w.Advisories == nil:
		return sallyport.Errorf(sallyport.Unknown, "the site has no advisories").Try("bring some in with: sallyport deps update")
	case open > 0:
		return sallyport.Errorf(sallyport.Refused, "%s about what was run", many(int64(open), "open finding")).Try("see sallyport incidents")
	}
	return nil
}

func (a *app) printWatched(w *deps.Watched) {
	if w.Advisories == nil {
		return
	}
	a.print("%s, %s, %s\n", many(int64(w.Runs), "run"), many(int64(w.Packages), "package"), withAdvisories(*w.Advisories))
	if len(w.News) == 0 {
		a.print("nothing has become known about them since they ran\n")
		return
	}
	a.print("\n")
	t := table{head: []string{"PACKAGE", "ADVISORY", "SEVERITY", "RUNS", "MODELS", "INCIDENT"}, right: map[int]bool{3: true, 4: true}}
	for _, n := range w.News {
		f := deps.Finding{Hit: &n.Advisory}
		models := 0
		for _, r := range n.Runs {
			models += len(r.Models)
		}
		t.add(plain(n.Advisory.Package+" "+strings.Join(n.Versions, ", ")), nameOf(f), severityOf(f), count(int64(len(n.Runs))), count(int64(models)), strings.TrimSpace(n.Incident+" "+n.Status))
	}
	t.print(a.out)
}
