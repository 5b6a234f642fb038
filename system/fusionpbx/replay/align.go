package replay

// pair has what the original said and what the service under test said in its place. One of them may be nil.
type pair struct{ want, got *Message }

// The costs of putting messages side by side: those that are equal, those that speak of the same, those that have
// nothing in common, and a message that stands alone.
const (
	costSame    = 0
	costSimilar = 3
	costAlone   = 2
	costOther   = 5
)

// align puts the messages side by side, in order, so that as few as possible differ.
func align(want, got []Message) []pair {
	costs := make([][]int, len(want)+1)
	for i := range costs {
		costs[i] = make([]int, len(got)+1)
	}
	for i := len(want); i >= 0; i-- {
		for j := len(got); j >= 0; j-- {
			switch {
			case i == len(want):
				costs[i][j] = costAlone * (len(got) - j)
			case j == len(got):
				costs[i][j] = costAlone * (len(want) - i)
			default:
				costs[i][j] = min(costs[i+1][j]+costAlone, costs[i][j+1]+costAlone, costs[i+1][j+1]+distance(&want[i], &got[j]))
			}
		}
	}
	var pairs []pair
	for i, j := 0, 0; i < len(want) || j < len(got); {
		switch {
		case i < len(want) && j < len(got) && costs[i][j] == costs[i+1][j+1]+distance(&want[i], &got[j]):
			pairs = append(pairs, pair{&want[i], &got[j]})
			i, j = i+1, j+1
		case j == len(got) || i < len(want) && costs[i][j] == costs[i+1][j]+costAlone:
			pairs = append(pairs, pair{want: &want[i]})
			i++
		default:
			pairs = append(pairs, pair{got: &got[j]})
			j++
		}
	}
	return pairs
}

func distance(want, got *Message) int {
	switch {
	case len(differences(want, got)) == 0:
		return costSame
	case want.sameThing(got):
		return costSimilar
	}
	return costOther
}
