package photocopy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/retort-data/retort/local/ngram"
)

// Options of a demonstration. Zero values are the defaults.
type Options struct {
	Answers     int     // a generation (2,000)
	Generations int     // (6)
	Temperature float64 // of the students (0.8)
	Budget      int     // words that are measured (25,000)
	Seed        uint64  // of the division of the text and of what students say (1)
	Regimes     []Regime
	Log         io.Writer // a line a generation; nil: none
}

func (o Options) filled() Options {
	preset(&o.Answers, 2000)
	preset(&o.Generations, 6)
	preset(&o.Temperature, 0.8)
	preset(&o.Budget, 25_000)
	preset(&o.Seed, 1)
	if o.Regimes == nil {
		o.Regimes = Regimes()
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return o
}

func preset[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Result is all that was measured.
type Result struct {
	Options struct {
		Answers     int     `json:"answers"`
		Generations int     `json:"generations"`
		Temperature float64 `json:"temperature"`
		Budget      int     `json:"budget_words"`
		Seed        uint64  `json:"seed"`
	} `json:"options"`
	Seconds   float64     `json:"seconds"`
	Human     Measures    `json:"human"`            // of the text that no student sees
	First     float64     `json:"first_perplexity"` // of the student of human text
	Series    []Series    `json:"series"`
	Inspected []Inspected `json:"inspected"` // the ungated versions beside the first one
}

// Series is one regime's course.
type Series struct {
	Regime
	Generations []Generation `json:"generations"`
}

// Generation is one turn of a regime.
type Generation struct {
	Number     int      `json:"generation"`
	TrainedOn  string   `json:"trained_on"`     // what the student that answers was trained on: a version, or "" for human text
	Held       string   `json:"held,omitempty"` // the account or limit that held the run
	Record     int64    `json:"held_at_record,omitempty"`
	Reason     string   `json:"held_for,omitempty"`
	Version    int      `json:"version"` // the newest after this turn
	Depth      string   `json:"depth"`   // deepest generation on its records
	HumanShare float64  `json:"human_share"`
	Rejected   int64    `json:"rejected"`
	Said       Measures `json:"said"`
	Published  Measures `json:"published"`
	Perplexity float64  `json:"perplexity"` // of a student of the newest version, on human text that nobody saw
}

// Run runs all regimes, one after the other.
func Run(ctx context.Context, s *Site, o Options) (*Result, error) {
	began := time.Now()
	o = o.filled()
	text, err := ReadText(o.Seed)
	if err != nil {
		return nil, err
	}
	if err := text.write(s.Dir, o.Answers); err != nil {
		return nil, err
	}
	students, mux := map[string]*student{}, http.NewServeMux()
	for _, r := range o.Regimes {
		students[r.Name] = &student{seed: o.Seed}
		mux.Handle("/"+r.Name+"/", http.StripPrefix("/"+r.Name, students[r.Name].handler()))
	}
	end, err := s.open(ctx, mux, declare(o.Regimes, nil))
	if err != nil {
		return nil, err
	}
	defer end()
	d := &demonstration{site: s, o: o, text: text, ruler: newRuler(text.Human(), o.Budget), first: train(text.Human()), trainedOn: map[string]string{}}
	result := &Result{Human: d.ruler.measure(text.Held), First: perplexity(d.first, text.Held)}
	result.Options.Answers, result.Options.Generations, result.Options.Temperature = o.Answers, o.Generations, o.Temperature
	result.Options.Budget, result.Options.Seed = o.Budget, o.Seed
	for _, r := range o.Regimes {
		series, err := d.regime(ctx, r, students[r.Name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Title, err)
		}
		result.Series = append(result.Series, series)
		if !r.Human {
			if result.Inspected, err = d.inspect(ctx, r, series); err != nil {
				return nil, err
			}
		}
	}
	result.Seconds = time.Since(began).Seconds()
	return result, nil
}

// demonstration is what the regimes share.
type demonstration struct {
	site      *Site
	o         Options
	text      *Text
	ruler     *ruler
	first     *ngram.Model // trained on human text
	trainedOn map[string]string
}

func declare(regimes []Regime, trainedOn map[string]string) (all []declared) {
	for _, r := range regimes {
		all = append(all, declared{r.Name, ngram.Name, "BSD-3-Clause", 16, trainedOn[r.Name]})
	}
	return all
}

func (d *demonstration) regime(ctx context.Context, r Regime, s *student) (Series, error) {
	series := Series{Regime: r}
	model, last := d.first, Generation{}
	for n := 1; n <= d.o.Generations; n++ {
		s.next(model, n)
		if err := d.site.declare(declare(d.o.Regimes, d.trainedOn)); err != nil {
			return series, err
		}
		status, err := d.site.run(ctx, fmt.Sprintf("%s-%d", r.Name, n), r.recipe(d.o.Temperature))
		if err != nil {
			return series, err
		}
		g := last // what is held leaves everything as it was
		g.Number, g.TrainedOn, g.Held, g.Record, g.Reason = n, d.trainedOn[r.Name], "", 0, ""
		g.Rejected, g.Said = status.Counts.RejectedTotal(), d.ruler.measure(s.answers())
		if status.State == "held" {
			g.Held, g.Record, g.Reason = status.Gate.Account, status.Gate.Record, status.Reason
			if _, _, err := d.site.retort(ctx, "cancel", r.Dataset()); err != nil {
				return series, err
			}
		} else {
			next, err := d.learn(ctx, r, status.Version, &g)
			if err != nil {
				return series, err
			}
			if !r.Fixed {
				model, d.trainedOn[r.Name] = next, fmt.Sprintf("%s@%d", r.Dataset(), status.Version)
			}
		}
		if g.Version == 0 {
			g.Perplexity = perplexity(model, d.text.Held)
		}
		series.Generations = append(series.Generations, g)
		last = g
		fmt.Fprintln(d.o.Log, g.line(r))
	}
	return series, nil
}

// learn trains a student on the version that was published.
func (d *demonstration) learn(ctx context.Context, r Regime, version int, g *Generation) (*ngram.Model, error) {
	m, err := d.site.manifest(ctx, r.Dataset(), version)
	if err != nil {
		return nil, err
	}
	texts, err := d.site.texts(ctx, m)
	if err != nil {
		return nil, err
	}
	model := train(texts)
	g.Version, g.HumanShare, g.Depth = version, m.HumanShare, deepest(m.Generations)
	g.Published, g.Perplexity = d.ruler.measure(texts), perplexity(model, d.text.Held)
	return model, nil
}

func deepest(generations map[string]int64) string {
	deep := ""
	for g := range generations {
		if len(g) > len(deep) || len(g) == len(deep) && g > deep {
			deep = g
		}
	}
	return deep
}

// inspect looks at the ungated versions as at any files, each beside the first one.
func (d *demonstration) inspect(ctx context.Context, r Regime, series Series) (all []Inspected, err error) {
	anchor := ""
	for _, g := range series.Generations {
		m, err := d.site.manifest(ctx, r.Dataset(), g.Version)
		if err != nil {
			return nil, err
		}
		files, err := d.site.keep(ctx, filepath.Join(d.site.Dir, "versions", fmt.Sprintf("%s-%d", r.Name, g.Version)), m)
		if err != nil {
			return nil, err
		}
		if anchor == "" {
			anchor = files
			continue
		}
		in, err := d.site.inspect(ctx, g.Version, files, anchor, "prompt_id", "prompt_id")
		if err != nil {
			return nil, err
		}
		all = append(all, in)
	}
	return all, nil
}
