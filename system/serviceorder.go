package system

import (
	"fmt"
	"slices"
	"strings"

	"strowger/system/internal/supervisor"
	"strowger/system/service"
)

// group notes the groups, and returns what is wrong with them.
func (s *services) group(r *roster, groups []service.Group) (problems []error) {
	s.groups, s.inGroup = map[string]supervisor.Strategy{}, map[string]string{}
	for _, g := range groups {
		if _, again := s.groups[g.Name]; again || g.Name == "" {
			problems = append(problems, fmt.Errorf("group %q: the name is empty or given twice", g.Name))
			continue
		}
		switch g.Strategy {
		case service.RestForOne:
			s.groups[g.Name] = supervisor.RestForOne
		case service.OneForAll:
			s.groups[g.Name] = supervisor.AllForOne
		default:
			problems = append(problems, fmt.Errorf("group %q: strategy %d is unknown", g.Name, int(g.Strategy)))
			continue
		}
		for _, name := range g.Services {
			switch {
			case r.named[name] == nil:
				problems = append(problems, fmt.Errorf("group %q: there is no service %q", g.Name, name))
			case s.inGroup[name] != "":
				problems = append(problems, fmt.Errorf("group %q: the service %q is in the group %q", g.Name, name, s.inGroup[name]))
			default:
				s.inGroup[name] = g.Name
			}
		}
	}
	return problems
}

// sort puts the services in the order in which they start: each after those on which it depends and those before it in
// its group, and else as they were given. It returns what makes that impossible.
func (r *roster) sort(groups []service.Group) (problems []error) {
	before := map[*home][]*home{}
	for _, h := range r.homes {
		for _, name := range h.instance.Service().After {
			other := r.named[name]
			if other == nil {
				problems = append(problems, fmt.Errorf("service %q: there is no service %q for it to come after", h.instance.Name(), name))
				continue
			}
			h.after = append(h.after, other)
			before[h] = append(before[h], other)
		}
	}
	for _, g := range groups {
		for i, name := range g.Services[min(1, len(g.Services)):] {
			if h, other := r.named[name], r.named[g.Services[i]]; h != nil && other != nil {
				before[h] = append(before[h], other)
			}
		}
	}
	var sorted []*home
	for left := slices.Clone(r.homes); len(left) > 0; {
		at := slices.IndexFunc(left, func(h *home) bool {
			return !slices.ContainsFunc(before[h], func(other *home) bool { return slices.Contains(left, other) })
		})
		if at < 0 {
			var names []string
			for _, h := range left {
				names = append(names, h.instance.Name())
			}
			return append(problems, fmt.Errorf("services %s: each is to start after another one", strings.Join(names, ", ")))
		}
		sorted = append(sorted, left[at])
		left = slices.Delete(left, at, at+1)
	}
	r.homes = sorted
	return problems
}
