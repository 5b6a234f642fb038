package channels

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLegsOfSeveral asks for the legs of many calls at once. They are those that each channel, or the other one, names.
func TestLegsOfSeveral(t *testing.T) {
	const n = 60
	random := rand.New(rand.NewPCG(1, 1))
	m := &model{channels: map[string]*Channel{}}
	uuid := func(i int) string { return fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", i) }
	for i := range n {
		ch := &Channel{uuid: uuid(i)}
		ch.set(place(keyOther), uuid(random.IntN(n+5)))
		if i%3 == 0 {
			ch.set(place(keyBridge), uuid(random.IntN(n)))
		}
		m.channels[ch.uuid] = ch
	}
	var asked []string
	for i := range n + 5 {
		asked = append(asked, uuid(i))
	}
	asked = append(asked, "AAAAAAAA"+uuid(7)[8:], uuid(7))
	knows := func(a, b *Channel) bool { return a.Get(keyOther) == b.uuid || a.Get(keyBridge) == b.uuid }
	for i, legs := range m.legsOf(asked...) {
		var want []string
		ch := m.channels[uuid(min(i, n+4))]
		if i >= n+5 {
			ch = m.channels[uuid(7)]
		}
		for _, other := range m.channels {
			if ch != nil && (other == ch || knows(ch, other) || knows(other, ch)) {
				want = append(want, other.uuid)
			}
		}
		slices.Sort(want)
		if len(legs) > 0 && legs[0].UUID != ch.uuid {
			t.Errorf("the first leg of %s is %s", asked[i], legs[0].UUID)
		}
		slices.SortFunc(legs, func(a, b Leg) int { return cmp.Compare(a.UUID, b.UUID) })
		if !slices.EqualFunc(legs, want, func(l Leg, u string) bool { return l.UUID == u }) {
			t.Errorf("legs of %s are %v, want %v", asked[i], legs, want)
		}
	}
}
