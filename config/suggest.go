package config

const unknownKey = "unknown key"

// unknown returns the message for a name that is none of the known ones,
// with the nearest of them when one is close.
func unknown(name string, known []string) string {
	const longest = 64
	if len(name) > longest {
		return unknownKey
	}
	nearest := Nearest(name, known)
	if nearest == "" {
		nearest = sameEnd(name, known)
	}
	if nearest == "" {
		return unknownKey
	}
	return "unknown key, did you mean " + nearest + "?"
}

// Nearest returns the name that was probably meant by one that is none of the known ones; empty where
// none is close.
func Nearest(name string, known []string) string {
	nearest, best := "", 1+max(2, len(name)/6)
	for _, candidate := range known {
		if d := distance(name, candidate); d < best {
			nearest, best = candidate, d
		}
	}
	return nearest
}

// sameEnd returns the first candidate that ends like name: the right key in
// the wrong section, or in none.
func sameEnd(name string, candidates []string) string {
	_, last := cutLast(name)
	for _, candidate := range candidates {
		if _, end := cutLast(candidate); end == last {
			return candidate
		}
	}
	return ""
}

// distance returns how many bytes must be put in, taken out or changed to
// make one text the other.
func distance(from, to string) int {
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(from) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(to) {
			cost := diagonal
			if from[i] != to[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
