package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dataset"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) dataCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "data",
		Short: "Datasets: hand over, list, look at, get back",
		Args:  cobra.NoArgs,
	}
	c.AddCommand(a.dataAddCommand(), a.dataListCommand(), a.dataShowCommand(), a.dataGetCommand())
	return c
}

func (a *app) dataAddCommand() *cobra.Command {
	var subject, pattern, format string
	c := &cobra.Command{
		Use:   "add NAME PATH",
		Short: "Seal a file or a folder as a new version of a dataset",
		Long: `Seal a CSV, TSV or JSON Lines file, or a folder of files, as the next version of
a dataset. Every record belongs to a subject, the person whom it is about: the
value of a column or field, or what the first group of a regular expression
matches in a file's path. Records of one subject are sealed together, so that a
person can be taken out again.

A file that begins with the previous version's bytes stores only what is new; of
a folder, only files that are new or changed are stored. The plaintext stays
where it is: delete it yourself when you no longer need it.`,
		Example: `  sallyport data add encounters encounters.csv --subject patient_nbr
  sallyport data add notes notes.jsonl --subject patient.id
  sallyport data add scans scans/ --subject-pattern '^([0-9]+)/'`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			src := dataset.Source{Path: args[1], Subject: subject, Format: format}
			if pattern != "" {
				re, err := regexp.Compile(pattern)
				if err != nil {
					return sallyport.Errorf(sallyport.Usage, "the subject pattern is not a regular expression: %w", err).
						Try("see https://pkg.go.dev/regexp/syntax")
				}
				src.Pattern = re
			}
			return a.addData(c.Context(), args[0], src)
		},
	}
	c.Flags().StringVar(&subject, "subject", "", "the `column` or field that names the subject")
	c.Flags().StringVar(&pattern, "subject-pattern", "",
		"for folders: a `regexp` whose first group in a file's path is the subject")
	c.Flags().StringVar(&format, "format", "", "csv, tsv, jsonl or tree (default: from the name)")
	return c
}

func (a *app) addData(ctx context.Context, name string, src dataset.Source) error {
	if err := sallyport.CheckName("dataset", name); err != nil {
		return err
	}
	return a.with(ctx, func(s *site.Site) error {
		if err := s.Who.May(sallyport.AddData); err != nil {
			return err
		}
		m := a.meter("sealing " + name)
		v, rep, err := s.Data().Add(ctx, s.Who.Name, name, src, m.at)
		m.done()
		if err != nil {
			return err
		}
		return a.show(map[string]any{"version": v, "report": rep}, func() {
			if rep.Unchanged {
				a.print("%s has not changed: it is %s already\n", name, v.Ref())
				return
			}
			a.print("Sealed %s: %s of %s, %s\n", v.Ref(), many(v.Records, "record"), many(v.Subjects, "subject"), sallyport.Size(v.Bytes))
			if rep.Appended {
				a.print("Stored %s, which the version before did not have\n", many(rep.NewRecords, "record"))
			}
			a.print("Look at it: sallyport data show %s\n", v.Ref())
		})
	})
}

func (a *app) dataListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Short: "List datasets and their newest versions", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.listData(c.Context()) },
	}
}

func (a *app) listData(ctx context.Context) error {
	return a.with(ctx, func(s *site.Site) error {
		all, err := s.Data().List(ctx)
		if err != nil {
			return err
		}
		newest := []*dataset.Version{}
		for _, d := range all {
			v, err := s.Data().Find(ctx, sallyport.Ref{Name: d.Name})
			if err != nil {
				return err
			}
			newest = append(newest, v)
		}
		return a.show(newest, func() {
			if len(newest) == 0 {
				a.print("no data yet; begin with: sallyport data add NAME FILE --subject COLUMN\n")
				return
			}
			t := table{head: []string{"NAME", "VERSION", "FORMAT", "RECORDS", "SUBJECTS", "SIZE", "ADDED", "BY"},
				right: map[int]bool{1: true, 3: true, 4: true, 5: true}}
			for i, v := range newest {
				t.add(v.Dataset, fmt.Sprint(v.Number), all[i].Format, count(v.Records), count(v.Subjects), sallyport.Size(v.Bytes),
					v.Created.Format("2006-01-02"), v.By)
			}
			t.print(a.out)
		})
	})
}

func (a *app) dataShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME[@VERSION]",
		Short: "Show a version and, to those who may open it, its schema",
		Long: `Show a version of a dataset. To a steward or an operator it also shows the
schema, inferred from a sample of the records: types, missing values, and which
columns besides the subject's could identify a person. It never shows a value.`,
		Example:           "  sallyport data show encounters@1",
		Args:              cobra.ExactArgs(1),
		RunE:              func(c *cobra.Command, args []string) error { return a.showData(c.Context(), args[0]) },
		ValidArgsFunction: a.completeData,
	}
}

func (a *app) showData(ctx context.Context, text string) error {
	ref, err := sallyport.ParseRef(text)
	if err != nil {
		return err
	}
	return a.with(ctx, func(s *site.Site) error {
		store := s.Data()
		v, err := store.Find(ctx, ref)
		if err != nil {
			return err
		}
		d, err := store.Dataset(ctx, ref.Name)
		if err != nil {
			return err
		}
		all, err := store.Versions(ctx, ref.Name)
		if err != nil {
			return err
		}
		var schema *dataset.Schema
		if store.Ring != nil {
			if schema, err = store.Schema(ctx, v); err != nil {
				return err
			}
		}
		return a.show(map[string]any{"dataset": d, "version": v, "versions": all, "schema": schema}, func() {
			a.printVersion(d, v, all)
			a.printSchema(schema)
		})
	})
}

func (a *app) printVersion(d *dataset.Dataset, v *dataset.Version, all []*dataset.Version) {
	subject := d.Subject
	if subject == "" {
		subject = "the first group of " + d.Pattern
	}
	a.print("%-10s %s, %s, subject: %s\n", "dataset", d.Name, d.Format, plain(subject))
	a.print("%-10s %d, added %s by %s\n", "version", v.Number, v.Created.Format("2006-01-02 15:04:05 MST"), v.By)
	a.print("%-10s %s of %s, %s\n", "records", count(v.Records), many(v.Subjects, "subject"), sallyport.Size(v.Bytes))
	if v.Parent > 0 {
		a.print("%-10s %s, %s more than version %d\n", "new", many(v.NewRecords, "record"), sallyport.Size(v.NewBytes), v.Parent)
	}
	a.print("%-10s %s\n", "root", v.Root)
	if len(all) > 1 {
		a.print("%-10s %d, of which this is number %d\n", "versions", len(all), v.Number)
	}
}

func (a *app) printSchema(s *dataset.Schema) {
	if s == nil {
		a.print("\nThe schema is sealed: a steward or an operator can see it.\n")
		return
	}
	if len(s.Columns) == 0 {
		return
	}
	a.print("\n")
	t := table{head: []string{"COLUMN", "TYPE", "MISSING", "DISTINCT", "COULD IDENTIFY"}, right: map[int]bool{2: true, 3: true}}
	var doubtful []string
	for _, c := range s.Columns {
		missing := ""
		if c.Missing > 0 {
			missing = fmt.Sprintf("%.0f %%", 100*c.Missing)
			if c.Missing < 0.01 {
				missing = "< 1 %"
			}
		}
		why := strings.Join(c.Flags, ", ")
		if c.Subject {
			why = "the subject"
		} else if why != "" {
			doubtful = append(doubtful, c.Name)
		}
		t.add(plain(c.Name), string(c.Type), missing, count(c.Distinct), why)
	}
	t.print(a.out)
	if s.Sampled < s.Records {
		a.print("\ninferred from %s of %s, spread over the file\n", count(s.Sampled), many(s.Records, "record"))
	}
	if len(doubtful) > 0 {
		text := "Besides the subject, these may identify a person: " + plain(strings.Join(doubtful, ", ")) +
			". Does the code need them?"
		a.print("\n%s\n", strings.Join(wrap(text, width), "\n"))
	}
}

func (a *app) dataGetCommand() *cobra.Command {
	var dst string
	c := &cobra.Command{
		Use:   "get NAME[@VERSION] -o PATH",
		Short: "Get a version back, byte for byte, with a key that may",
		Long: `Write a version of a dataset to PATH, which must not exist: the same bytes that
were added. It takes the key of a steward or an operator. The plaintext is then
yours to look after.`,
		Example:           "  sallyport data get encounters@1 -o encounters.csv",
		Args:              cobra.ExactArgs(1),
		RunE:              func(c *cobra.Command, args []string) error { return a.getData(c.Context(), args[0], dst) },
		ValidArgsFunction: a.completeData,
	}
	c.Flags().StringVarP(&dst, "output", "o", "", "where to write it")
	_ = c.MarkFlagRequired("output")
	return c
}

func (a *app) getData(ctx context.Context, text, dst string) error {
	ref, err := sallyport.ParseRef(text)
	if err != nil {
		return err
	}
	return a.with(ctx, func(s *site.Site) error {
		m := a.meter("opening " + ref.String())
		v, err := s.TakeData(ctx, ref, dst, m.at)
		m.done()
		if err != nil {
			return err
		}
		return a.show(map[string]any{"version": v, "path": dst}, func() {
			a.print("Wrote %s to %s: %s, %s\n", v.Ref(), dst, many(v.Records, "record"), sallyport.Size(v.Bytes))
		})
	})
}
