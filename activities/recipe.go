package activities

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/teacher"
)

// Recipe is a recipe as run, with what its checks need made ready.
type Recipe struct {
	*schema.Recipe
	inspector *quality.Inspector
	sketches  dedup.Params
	shape     *teacher.Schema // nil: free text
	template  []string        // the template's own words
	teachers  map[string]DeclaredTeacher
	begun     Begun
	anchors   anchorCache

	compared atomic.Pointer[compared] // once the run is planned
}

// anchorCache holds a run's anchors, decoded.
type anchorCache struct {
	mu    sync.Mutex
	byKey map[string]*quality.Anchor
}

// recipeCache keeps the recipes of runs under way; they are small and never change.
type recipeCache struct {
	mu   sync.Mutex
	runs map[string]*Recipe
}

// DeclaredTeacher is a teacher as the configuration declared it when the run began, with the depth of what it was trained on.
type DeclaredTeacher struct {
	schema.Teacher
	Generation int32 `json:"generation"` // 0 where it was trained on no Retort dataset
}

// mostRecipes bounds the cache.
const mostRecipes = 32

func (r *Rooms) recipe(ctx context.Context, run store.Run) (*Recipe, error) {
	c := &r.recipes
	c.mu.Lock()
	defer c.mu.Unlock()
	if got, ok := c.runs[run.ID]; ok {
		return got, nil
	}
	text, err := r.Store.Get(ctx, run.RecipeText())
	if err != nil {
		return nil, err
	}
	parsed, err := schema.ParseRecipe("recipe.yaml", text) // the text, not a copy in JSON, which would blur numbers of vary
	if err != nil {
		return nil, err
	}
	var shape []byte
	if parsed.Response.Schema != "" {
		if shape, err = r.Store.Get(ctx, run.Shape()); err != nil {
			return nil, err
		}
	}
	got, err := NewRecipe(parsed, shape)
	if err != nil {
		return nil, err
	}
	if err := r.getJSON(ctx, run.Begun(), &got.begun); err != nil {
		return nil, err
	}
	var declared []DeclaredTeacher
	if err := r.getJSON(ctx, run.Teachers(), &declared); err != nil {
		return nil, err
	}
	for _, t := range declared {
		got.teachers[t.Name] = t
	}
	if len(c.runs) >= mostRecipes || c.runs == nil {
		c.runs = map[string]*Recipe{}
	}
	c.runs[run.ID] = got
	return got, nil
}

// NewRecipe makes a parsed recipe ready; shape is the JSON Schema of an answer, or nil.
func NewRecipe(parsed *schema.Recipe, shape []byte) (*Recipe, error) {
	if err := checkNear(parsed); err != nil {
		return nil, err
	}
	inspector, err := quality.NewInspector(parsed.Checks, quality.Options{Finish: parsed.Response.Finish})
	if err != nil {
		return nil, err
	}
	got := &Recipe{Recipe: parsed, inspector: inspector, sketches: dedup.ParamsOf(parsed.Checks.Near),
		teachers: map[string]DeclaredTeacher{}}
	if shape != nil {
		if got.shape, err = teacher.CompileSchema(json.RawMessage(shape)); err != nil {
			return nil, err
		}
	}
	for _, m := range parsed.Messages {
		got.template = append(got.template, literals(m.Content)...)
	}
	return got, nil
}

var actions = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// literals are a template's own words, without its actions.
func literals(content string) (texts []string) {
	for _, t := range actions.Split(content, -1) {
		if t = strings.TrimSpace(t); t != "" {
			texts = append(texts, t)
		}
	}
	return texts
}

// notFound says whether an object is missing, which for some is an answer and no fault.
func notFound(err error) bool { return errors.Is(err, store.ErrNotFound) }
