package transport

func (sh *shard) enter(g *group, s *socket) {
	if s.closing {
		return
	}
	for _, m := range s.groups {
		if m.group == g {
			return
		}
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

func (sh *shard) leaveAll(s *socket) {
	for _, m := range s.groups {
		sh.cut(m)
	}
	s.groups = nil
}
