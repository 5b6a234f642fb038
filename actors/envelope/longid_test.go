package envelope

import (
	"strings"
	"testing"
)

// TestLongIDsAreTakenAsSpelled: a list of the longest length counts however it is spelled, and one byte more does not.
func TestLongIDsAreTakenAsSpelled(t *testing.T) {
	for length, same := range map[int]bool{longestID: true, longestID + 1: false} {
		const begin, end = `["a\/b","`, `"]`
		spelled := begin + strings.Repeat("x", length-len(begin)-len(end)) + end
		shorter := strings.Replace(spelled, `\/`, `/`, 1)
		if got := KeyOf([]byte(spelled)) == KeyOf([]byte(shorter)); got != same {
			t.Errorf("%d bytes: the same key %t, want %t", length, got, same)
		}
		again := strings.Clone(spelled)
		if KeyOf([]byte(spelled)) != KeyOf([]byte(again)) {
			t.Errorf("%d bytes: the key of one text differs", length)
		}
	}
}
