package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

type treeInput struct {
	Branch string `json:"branch,omitempty" jsonschema:"only what is below this path of names, such as services/active.calls; the default is all below root"`
	Limit  int    `json:"limit,omitempty" jsonschema:"how many children of each node at most, 1 to 200; the default is 50"`
	Stacks bool   `json:"stacks,omitempty" jsonschema:"true: with the stack of each last failure"`
}

// tree returns the branch of the console's tree that is asked for.
func (a *assistant) tree(ctx context.Context, in *treeInput) (string, error) {
	answer, err := a.ask(ctx, "tree", nil)
	if err != nil {
		return "", err
	}
	var tree map[string]any
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return "", fmt.Errorf("the daemon's answer makes no sense: %w", err)
	}
	node, _ := tree["root"].(map[string]any)
	if node, err = branch(node, in.Branch); err != nil {
		return "", err
	}
	in.prune(node)
	tree["root"] = node
	var text bytes.Buffer
	err = printJSON(&text, tree)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// children returns those of a node.
func children(node map[string]any) []any {
	all, _ := node["children"].([]any)
	return all
}

// branch returns the node at a path of names. Names may have slashes in them.
func branch(node map[string]any, path string) (map[string]any, error) {
	rest := strings.Trim(path, "/")
	if name, _ := node["name"].(string); rest == name || strings.HasPrefix(rest, name+"/") {
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, name), "/")
	}
	for rest != "" {
		next, after := map[string]any(nil), ""
		for _, child := range children(node) {
			child, _ := child.(map[string]any)
			name, _ := child["name"].(string)
			if below, found := strings.CutPrefix(rest, name+"/"); rest == name || found {
				next = child
				if found {
					after = below
				}
				break
			}
		}
		if next == nil {
			return nil, fmt.Errorf("branch: %q is not in the tree, or is one of those that the daemon leaves out; %q is where it would be", path, node["name"])
		}
		node, rest = next, after
	}
	return node, nil
}

// prune leaves out what is not asked for.
func (in *treeInput) prune(node map[string]any) {
	if failure, ok := node["last_failure"].(map[string]any); ok && !in.Stacks {
		delete(failure, "stack")
	}
	all := children(node)
	if len(all) > in.Limit {
		omitted := int64(len(all) - in.Limit)
		if before, ok := node["omitted"].(json.Number); ok {
			n, _ := before.Int64()
			omitted += n
		}
		all = all[:in.Limit]
		node["omitted"], node["children"] = omitted, all
	}
	for _, child := range all {
		if child, ok := child.(map[string]any); ok {
			in.prune(child)
		}
	}
}
