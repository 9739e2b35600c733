package prompt

import (
	"strconv"
	"strings"
	"text/template/parse"
)

// Functions that instrument puts at the end of pipelines; a template can't name them.
const (
	fnShow = "_show" // before a value is printed
	fnTest = "_test" // before if and with look at a value
	fnEach = "_each" // before a range begins
)

// place is a pipeline in a template; line and col (in bytes, as text/template counts) are from 1.
type place struct {
	text      string
	root      bool // dot is the row here
	line, col int
}

// instrument adds a call to the end of every pipeline that prints, tests or ranges, as html/template adds its escapers. It
// returns the places of all pipelines, which the first argument of each call counts.
func instrument(root *parse.ListNode, content string) []place {
	in := &instrumenter{content: content}
	in.list(root, true)
	return in.places
}

type instrumenter struct {
	content string
	places  []place
}

// list walks nodes; root says whether dot is the row. It returns the number of nodes below, what one turn of a range around them costs.
func (in *instrumenter) list(l *parse.ListNode, root bool) int {
	if l == nil {
		return 0
	}
	nodes := 1
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			nodes += in.action(n, root)
		case *parse.IfNode:
			nodes += in.branch(&n.BranchNode, root, root)
		case *parse.WithNode:
			nodes += in.branch(&n.BranchNode, root, false)
		case *parse.RangeNode:
			nodes += in.rangeNode(n, root)
		default:
			nodes++
		}
	}
	return nodes
}

func (in *instrumenter) action(n *parse.ActionNode, root bool) int {
	cost := pipeCost(n.Pipe)
	at := in.place(n.Pipe, root)
	if len(n.Pipe.Decl) == 0 { // {{$x := …}} prints nothing
		call(n.Pipe, fnShow, at)
	}
	return cost
}

func (in *instrumenter) place(p *parse.PipeNode, root bool) int {
	before := in.content[:min(int(p.Pos), len(in.content))]
	in.places = append(in.places, place{text: p.String(), root: root, line: 1 + strings.Count(before, "\n"), col: len(before) - strings.LastIndexByte(before, '\n')})
	return len(in.places) - 1
}

func (in *instrumenter) branch(b *parse.BranchNode, root, inside bool) int {
	cost := pipeCost(b.Pipe)
	call(b.Pipe, fnTest, in.place(b.Pipe, root))
	return cost + in.list(b.List, inside) + in.list(b.ElseList, root)
}

func (in *instrumenter) rangeNode(n *parse.RangeNode, root bool) int {
	cost := pipeCost(n.Pipe)
	at := in.place(n.Pipe, root)
	body := in.list(n.List, false)
	call(n.Pipe, fnEach, at, body)
	return cost + body + in.list(n.ElseList, root)
}

// pipeCost counts the arguments of a pipeline, nested ones too.
func pipeCost(p *parse.PipeNode) int {
	if p == nil {
		return 0
	}
	cost := 1
	for _, cmd := range p.Cmds {
		for _, arg := range cmd.Args {
			cost++
			if nested, ok := arg.(*parse.PipeNode); ok {
				cost += pipeCost(nested)
			}
			if chain, ok := arg.(*parse.ChainNode); ok {
				if nested, ok := chain.Node.(*parse.PipeNode); ok {
					cost += pipeCost(nested)
				}
			}
		}
	}
	return cost
}

// call appends `| fn numbers…` to a pipeline.
func call(p *parse.PipeNode, fn string, numbers ...int) {
	args := []parse.Node{parse.NewIdentifier(fn).SetPos(p.Pos)}
	for _, n := range numbers {
		args = append(args, &parse.NumberNode{NodeType: parse.NodeNumber, Pos: p.Pos, IsInt: true, Int64: int64(n), Text: strconv.Itoa(n)})
	}
	p.Cmds = append(p.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: p.Pos, Args: args})
}
