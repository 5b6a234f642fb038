package web

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"
)

func TestMemoryIsBounded(t *testing.T) {
	now := time.Now()
	answerOf := func(n int) *answer { return &answer{200, make([]byte, n)} }
	key := func(i int) memoryKey { return sha256.Sum256([]byte(fmt.Sprint(i))) }
	l := &Limits{IdempotencyLifetime: time.Minute, IdempotencyKeys: 3, IdempotencyBytes: 2*overhead + 10}
	var m memory
	m.init()
	add := func(i, n int) {
		t.Helper()
		r, isNew := m.begin(memoryKey{}, key(i), key(i), l, now)
		if !isNew {
			t.Fatalf("%d is there", i)
		}
		m.end(r, answerOf(n), l, now)
	}
	has := func(want ...int) {
		t.Helper()
		keys, bytes := m.size()
		if int(keys) != len(want) || int(keys) != len(m.all) || bytes < int64(len(want)*overhead) || bytes > l.IdempotencyBytes {
			t.Errorf("%d keys with %d bytes, want %v", keys, bytes, want)
		}
		for _, i := range want {
			if m.all[key(i)] == nil {
				t.Errorf("%d is forgotten", i)
			}
		}
	}
	add(1, 5)
	add(2, 5)
	has(1, 2)
	add(3, 0) // one byte too many would be enough; this is as many as an answer takes
	has(2, 3)
	add(4, int(l.IdempotencyBytes)) // larger than all that may be kept
	has()
	add(5, 1)
	now = now.Add(time.Minute - 1)
	if r, isNew := m.begin(memoryKey{}, key(5), key(5), l, now); isNew || r.answer == nil {
		t.Error("forgotten before its time")
	}
	now = now.Add(1)
	if _, isNew := m.begin(memoryKey{}, key(5), key(5), l, now); !isNew {
		t.Error("remembered after its time")
	}
	for i := 6; i < 8; i++ {
		if _, isNew := m.begin(memoryKey{}, key(i), key(i), l, now); !isNew {
			t.Errorf("no room for %d", i)
		}
	}
	if r, _ := m.begin(memoryKey{}, key(8), key(8), l, now); r != nil {
		t.Error("more are under way than there may be keys")
	}
	if keys, bytes := m.size(); keys != 3 || bytes != 0 {
		t.Errorf("%d keys with %d bytes", keys, bytes)
	}
	m.end(m.all[key(6)], nil, l, now) // it has failed
	if _, isNew := m.begin(memoryKey{}, key(6), key(6), l, now); !isNew {
		t.Error("a request that failed is remembered")
	}
}

func TestRatesAreBounded(t *testing.T) {
	now := time.Now()
	var r rates
	r.init()
	for i := range 10 {
		if !taken(&r, "a", 1, 10, now) {
			t.Fatalf("message %d refused", i+1)
		}
	}
	if taken(&r, "a", 1, 10, now) {
		t.Error("the 11th was taken")
	}
	if !taken(&r, "b", 1, 10, now) {
		t.Error("another's was refused")
	}
	if taken(&r, "a", 1, 10, now.Add(-time.Hour)) {
		t.Error("taken by a clock that went back")
	}
	if !taken(&r, "a", 1, 10, now.Add(100*time.Millisecond)) || taken(&r, "a", 1, 10, now.Add(100*time.Millisecond)) {
		t.Error("not one more after a tenth of a second")
	}
	if !taken(&r, "a", 1000, 0, now) {
		t.Error("refused without a bound")
	}
	for i := range maxRated {
		r.take(fmt.Sprint(i), 1, 10, now)
	}
	if len(r.until) > maxRated {
		t.Errorf("%d are remembered", len(r.until))
	}
	if taken(&r, "one more", 1, 10, now) {
		t.Error("taken although nobody can be forgotten")
	}
	if !taken(&r, "one more", 1, 10, now.Add(time.Hour)) || len(r.until) != 1 {
		t.Errorf("%d are remembered after an hour", len(r.until))
	}
}

func taken(r *rates, who string, n, rate int, now time.Time) bool {
	took, _ := r.take(who, n, rate, now)
	return took
}

// Whoever is refused is told when to come again, and is taken then and not before.
func TestTimeUntilTaken(t *testing.T) {
	now := time.Now()
	var r rates
	r.init()
	taken(&r, "a", 1000, 10, now)
	_, after := r.take("a", 1, 10, now)
	if after < 99*time.Second || after > 100*time.Second {
		t.Errorf("to come again after %s", after)
	}
	if taken(&r, "a", 1, 10, now.Add(after-1)) || !taken(&r, "a", 1, 10, now.Add(after)) {
		t.Error("not taken just then")
	}
}

// A sender with more answers than the others has its own forgotten, and not theirs.
func TestMemoryOfASender(t *testing.T) {
	now := time.Now()
	l := &Limits{IdempotencyLifetime: time.Minute, IdempotencyKeys: 6, IdempotencyBytes: 8 * overhead}
	id := func(text string) memoryKey { return sha256.Sum256([]byte(text)) }
	var m memory
	m.init()
	add := func(who string, i, bytes int) {
		t.Helper()
		key := id(fmt.Sprint(who, i))
		r, isNew := m.begin(id(who), key, key, l, now)
		if !isNew {
			t.Fatalf("no room for %s %d", who, i)
		}
		m.end(r, &answer{200, make([]byte, bytes)}, l, now)
	}
	has := func(who string, i int) bool { return m.all[id(fmt.Sprint(who, i))] != nil }
	add("ann", 1, 0)
	add("ann", 2, 0)
	for i := range 100 {
		add("bob", i, 0)
	}
	if !has("ann", 1) || !has("ann", 2) || !has("bob", 99) || len(m.all) != 6 {
		t.Errorf("%d answers are kept, ann's: %t, %t", len(m.all), has("ann", 1), has("ann", 2))
	}
	add("ann", 3, 0) // bob has 4 of 6
	if !has("ann", 1) || !has("ann", 3) {
		t.Error("ann's are forgotten although bob has more")
	}
	for i := range 100 {
		add("cid", i, 6*overhead) // by bytes
	}
	if !has("ann", 1) && !has("ann", 2) {
		t.Error("long answers of one sender displaced all of another")
	}
	// Requests that are under way are not forgotten, so they leave no room for more of their own sender.
	var busy memory
	busy.init()
	for i := range 6 {
		busy.begin(id("bob"), id(fmt.Sprint(i)), memoryKey{}, l, now)
	}
	if r, _ := busy.begin(id("bob"), id("7"), memoryKey{}, l, now); r != nil {
		t.Error("more are under way than there may be keys")
	}
	if m.owners[id("ann")].keys == 0 || len(m.owners) > len(m.all) {
		t.Errorf("%d senders of %d answers", len(m.owners), len(m.all))
	}
	m.expire(now.Add(time.Hour))
	if len(m.owners) != 0 {
		t.Errorf("%d senders of nothing", len(m.owners))
	}
}

func TestElements(t *testing.T) {
	for list, want := range map[string]int{
		`[]`: 0, ` [ ] `: 0, `[1]`: 1, `[1,2]`: 2, `["a,b","\\",",\"]",{"a":[1,2,{}],"b":3}]`: 4, `[[],[]]`: 2, `[[1,2],[]]`: 2, `[{}]`: 1, "[{},\n{}\t]": 2,
	} {
		if n := elements([]byte(list)); n != want {
			t.Errorf("%s has %d elements, want %d", list, n, want)
		}
	}
	for _, broken := range []string{"", "[", `["`, `["\`, "]", "[1,,", "}}}", "[[["} {
		elements([]byte(broken))
	}
	if n := testing.AllocsPerRun(10, func() { elements([]byte("[1,1,1,1]")) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Out of senders with as many answers the one with the oldest has it forgotten.
func TestOldestOfSeveralSendersIsForgotten(t *testing.T) {
	l := &Limits{IdempotencyLifetime: time.Minute, IdempotencyKeys: 8, IdempotencyBytes: 1 << 20}
	now := time.Now()
	var m memory
	m.init()
	for i := range 100 {
		now = now.Add(time.Millisecond)
		key := memoryKey(sha256.Sum256([]byte(fmt.Sprint(i))))
		r, _ := m.begin(key, key, key, l, now) // each is a sender of its own
		m.end(r, &answer{200, nil}, l, now)
		if oldest := memoryKey(sha256.Sum256([]byte(fmt.Sprint(max(0, i-7))))); m.all[oldest] == nil {
			t.Fatalf("%d is forgotten after %d", max(0, i-7), i)
		}
	}
}
