package schema

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/parquet"
	pq "github.com/apache/arrow/go/v17/parquet/schema"
)

// Bounds of the tree of columns that a footer may claim.
const (
	maxTableDepth  = 40
	maxTableLeaves = 20_000
)

// tableNode is a column, or a part of one. Levels are those of Dremel (Melnik et al. 2010).
type tableNode struct {
	name                   string
	optional, repeated     bool
	definition, repetition int16 // most levels at this node
	kind                   tableKind
	children               []*tableNode
	leaves                 []int // columns at or below it, by their place in the file
	convert                func(any) (any, error)
}

type tableKind int

const (
	tableLeaf tableKind = iota
	tableGroup
	tableList // annotated LIST: one repeated child
	tableMap  // annotated MAP: one repeated child of key and value
)

func tableFields(s *pq.Schema) ([]*tableNode, error) {
	b := &tableBuilder{}
	root := s.Root()
	var fields []*tableNode
	for i := range root.NumFields() {
		f, err := b.node(root.Field(i), 0, 0, 0)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(fields, func(g *tableNode) bool { return g.name == f.name }) {
			return nil, fmt.Errorf("two columns are named %q", f.name)
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// tableBuilder counts leaves as it meets them: the file keeps columns in that order.
type tableBuilder struct{ leaves int }

func (b *tableBuilder) node(n pq.Node, definition, repetition int16, depth int) (*tableNode, error) {
	if depth > maxTableDepth {
		return nil, fmt.Errorf("columns are nested more than %d deep", maxTableDepth)
	}
	t := &tableNode{name: n.Name()}
	switch n.RepetitionType() {
	case parquet.Repetitions.Optional:
		t.optional, definition = true, definition+1
	case parquet.Repetitions.Repeated:
		t.repeated, definition, repetition = true, definition+1, repetition+1
	}
	t.definition, t.repetition = definition, repetition
	switch n := n.(type) {
	case *pq.PrimitiveNode:
		if b.leaves == maxTableLeaves {
			return nil, fmt.Errorf("it has more than %d columns", maxTableLeaves)
		}
		t.leaves = []int{b.leaves}
		b.leaves++
		t.convert = tableConverter(n)
	case *pq.GroupNode:
		return t, b.group(t, n, depth)
	default:
		return nil, fmt.Errorf("column %q is of an unknown kind", n.Name())
	}
	return t, nil
}

func (b *tableBuilder) group(t *tableNode, n *pq.GroupNode, depth int) error {
	t.kind = tableGroup
	for i := range n.NumFields() {
		child, err := b.node(n.Field(i), t.definition, t.repetition, depth+1)
		if err != nil {
			return err
		}
		t.children = append(t.children, child)
		t.leaves = append(t.leaves, child.leaves...)
	}
	if len(t.leaves) == 0 {
		return fmt.Errorf("column %q has no fields", t.name)
	}
	if len(t.children) == 1 && t.children[0].repeated {
		switch n.LogicalType().(type) {
		case pq.ListLogicalType, *pq.ListLogicalType:
			t.kind = tableList
		case pq.MapLogicalType, *pq.MapLogicalType:
			if pair := t.children[0]; pair.kind == tableGroup && len(pair.children) == 2 {
				t.kind = tableMap
			}
		}
	}
	return nil
}

// read takes the next value of a node: null, all elements where it is repeated, or one value.
func (n *tableNode) read(cursors tableCursors, left *int) (any, error) {
	first := cursors[n.leaves[0]]
	definition, err := first.definition()
	if err != nil {
		return nil, err
	}
	if definition < n.definition && (n.optional || n.repeated) {
		for _, at := range n.leaves {
			if err := cursors[at].skip(n.definition); err != nil {
				return nil, err
			}
		}
		if n.repeated {
			return []any{}, nil
		}
		return nil, nil
	}
	if !n.repeated {
		return n.one(cursors, left)
	}
	list := []any{}
	for {
		v, err := n.one(cursors, left)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if more, err := n.goesOn(cursors); err != nil || !more {
			return list, err
		}
	}
}

// goesOn says whether another element of the same list follows; all leaves must agree.
func (n *tableNode) goesOn(cursors tableCursors) (bool, error) {
	more := cursors[n.leaves[0]].repeats(n.repetition)
	for _, at := range n.leaves[1:] {
		if cursors[at].repeats(n.repetition) != more {
			return false, errors.New("its fields have lists of different lengths")
		}
	}
	return more, nil
}

func (n *tableNode) one(cursors tableCursors, left *int) (any, error) {
	if *left -= 8; *left < 0 {
		return nil, errRowTooLarge
	}
	switch n.kind {
	case tableLeaf:
		v, err := cursors[n.leaves[0]].take(n.definition)
		if err != nil {
			return nil, err
		}
		if v, err = n.convert(v); err != nil {
			return nil, err
		}
		if s, ok := v.(string); ok {
			if *left -= len(s); *left < 0 {
				return nil, errRowTooLarge
			}
		}
		return v, nil
	case tableList:
		return n.list(cursors, left)
	case tableMap:
		return n.mapping(cursors, left)
	}
	object := make(map[string]any, len(n.children))
	for _, c := range n.children {
		v, err := c.read(cursors, left)
		if err != nil {
			return nil, err
		}
		object[c.name] = v
	}
	return object, nil
}

// list reads the three-level form (list.element) and the older one of two levels (Parquet format, LogicalTypes.md).
func (n *tableNode) list(cursors tableCursors, left *int) (any, error) {
	middle := n.children[0]
	v, err := middle.read(cursors, left)
	items, ok := v.([]any)
	if err != nil || !ok || middle.kind != tableGroup || len(middle.children) != 1 || middle.name == "array" || middle.name == n.name+"_tuple" {
		return v, err
	}
	for i, item := range items {
		if object, ok := item.(map[string]any); ok {
			items[i] = object[middle.children[0].name]
		}
	}
	return items, nil
}

func (n *tableNode) mapping(cursors tableCursors, left *int) (any, error) {
	pair := n.children[0]
	v, err := pair.read(cursors, left)
	if err != nil {
		return nil, err
	}
	items, _ := v.([]any)
	out := make(map[string]any, len(items))
	for _, item := range items {
		object, _ := item.(map[string]any)
		out[fmt.Sprint(object[pair.children[0].name])] = object[pair.children[1].name]
	}
	return out, nil
}
