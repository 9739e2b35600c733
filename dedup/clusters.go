package dedup

// Clusters joins texts that are alike, directly or over others. The zero value is empty.
type Clusters struct {
	number map[string]int32
	names  []string
	parent []int32
	size   []int32
}

// Join says that a and b are alike.
func (c *Clusters) Join(a, b string) {
	x, y := c.find(c.add(a)), c.find(c.add(b))
	if x == y {
		return
	}
	if x > y { // the first seen stays the root, so that it names the cluster
		x, y = y, x
	}
	c.parent[y] = x
	c.size[x] += c.size[y]
}

// JoinDecision joins id with what it duplicates and what it is flagged for.
func (c *Clusters) JoinDecision(id string, d Decision) {
	if d.Of != "" {
		c.Join(d.Of, id)
	}
	if d.Near != "" {
		c.Join(d.Near, id)
	}
}

// Size is the number of texts in id's cluster: 1 where nothing is like it.
func (c *Clusters) Size(id string) int {
	if n, ok := c.number[id]; ok {
		return int(c.size[c.find(n)])
	}
	return 1
}

// First is the member of id's cluster that was seen first.
func (c *Clusters) First(id string) string {
	if n, ok := c.number[id]; ok {
		return c.names[c.find(n)]
	}
	return id
}

// Members are the clusters, members in the order in which they were seen, clusters in the order of their first.
func (c *Clusters) Members() [][]string {
	at := map[int32]int{}
	var out [][]string
	for n := range c.names {
		root := c.find(int32(n))
		if _, ok := at[root]; !ok {
			at[root] = len(out)
			out = append(out, nil)
		}
		out[at[root]] = append(out[at[root]], c.names[n])
	}
	return out
}

func (c *Clusters) add(id string) int32 {
	if n, ok := c.number[id]; ok {
		return n
	}
	if c.number == nil {
		c.number = map[string]int32{}
	}
	n := int32(len(c.names))
	c.number[id] = n
	c.names, c.parent, c.size = append(c.names, id), append(c.parent, n), append(c.size, 1)
	return n
}

// find returns the root of n and halves the path to it.
func (c *Clusters) find(n int32) int32 {
	for c.parent[n] != n {
		c.parent[n] = c.parent[c.parent[n]]
		n = c.parent[n]
	}
	return n
}
