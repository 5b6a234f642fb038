package transport

import "slices"

func (sh *shard) enter(g *group, s *socket) {
	for _, m := range s.groups {
		if m.group == g {
			return
		}
	}
	if s.closing && s.heir == nil {
		s.left = append(s.left, g)
		return
	}
	list := g.members[sh.index]
	s.groups = append(s.groups, membership{g, len(list)})
	g.members[sh.index] = append(list, s)
}

func (sh *shard) exit(g *group, s *socket) {
	for i, m := range s.groups {
		if m.group != g {
			continue
		}
		sh.cut(m)
		s.groups = append(s.groups[:i], s.groups[i+1:]...)
		return
	}
	s.left = slices.DeleteFunc(s.left, func(left *group) bool { return left == g })
}

// cut takes a socket out of a group's list; the last one takes its place.
func (sh *shard) cut(m membership) {
	list := m.group.members[sh.index]
	last := len(list) - 1
	moved := list[last]
	list[m.at] = moved
	list[last] = nil
	m.group.members[sh.index] = list[:last]
	for i := range moved.groups {
		if moved.groups[i].group == m.group {
			moved.groups[i].at = m.at
		}
	}
}

// leaveAll takes a socket that closes out of its groups, unless an heir gets what they say.
func (sh *shard) leaveAll(s *socket) {
	if s.heir != nil {
		return
	}
	for _, m := range s.groups {
		sh.cut(m)
		s.left = append(s.left, m.group)
	}
	s.groups = nil
}
