package token

import "slices"

// distinct returns a list without empty and repeated names, in the first order.
func distinct(names []string) []string {
	if len(names) == 1 && names[0] != "" {
		return names
	}
	seen := make(map[string]struct{}, len(names))
	var kept []string
	for _, name := range names {
		if _, again := seen[name]; again || name == "" {
			continue
		}
		seen[name] = struct{}{}
		kept = append(kept, name)
	}
	return kept
}

// sorted sorts names in place and returns them without repeated ones.
func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
