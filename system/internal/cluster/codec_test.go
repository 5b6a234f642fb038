package cluster

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"strowger/actors"
	"strowger/actors/envelope"
	"strowger/config/policy"
)

// parcels are one of each kind, with every field that the kind has.
func parcels() []*actors.Parcel {
	return []*actors.Parcel{
		{
			Kind: actors.AskParcel, Service: "active.calls", Instances: []string{"i1", "i2"}, Subscriber: "s1", Left: 15 * time.Second,
			User: actors.User{UUID: "u", Name: "ann", Extensions: []string{"100@a.example", "101@a.example"}},
			Text: []byte(`{"topic":"hangup"}`),
		},
		{Kind: actors.ReplyParcel, Service: "active.calls", Instance: "i1", Subscriber: "s1", Text: []byte(`{}`)},
		{Kind: actors.BroadcastParcel, Service: "a", Instance: "i1", Class: `app\thing`, KnownClass: true, Open: true, Text: []byte(`{"payload":1}`)},
		{Kind: actors.HandBackParcel, Service: "a", Instance: "i1", Subscriber: "s1", RequestID: envelope.Raw(`"7"`), Busy: true, Text: []byte(`{}`)},
		{Kind: actors.HandBackParcel, Service: "a", Instance: "i1", Subscriber: "s1", RequestID: envelope.Raw(`7`)},
		{Kind: actors.GoneParcel, Service: "a", Subscriber: "s1"},
		{Kind: actors.AskParcel, Service: "a", Instances: []string{"i1"}, Subscriber: "s1", Part: actors.GatheredPart, Text: []byte(`{}`)},
		{Kind: actors.HandBackParcel, Service: "a", Instance: "i1", Subscriber: "s1", Passed: true, Text: []byte(`{}`)},
		{Kind: actors.HandBackParcel, Service: "a", Instance: "i1", Subscriber: "s1", Unseen: true},
		{Kind: actors.ShareParcel, Service: "a", Instance: "i1", Subscriber: "s1", Text: []byte(`{}`)},
		{Kind: actors.WillParcel, Service: "a", Instance: "i1", Key: "k", Text: []byte(`{}`)},
	}
}

// offers are instances with and without a policy.
func offers() []actors.Offered {
	return []actors.Offered{
		{Name: "a", ID: "i1"},
		{Name: "active.calls", ID: "i2", Class: "c", KnownClass: true, Inside: true, Everywhere: true, Leaving: true, Policy: &policy.Policy{
			Require: []string{"p"}, Events: []string{"CHANNEL_CREATE"}, TopicPermissions: map[string][]string{"t": {"p", "q"}},
			Scopes: []policy.Scope{{Permission: "all", To: policy.All}, {To: policy.Domain, Keys: []string{"name@"}, ListKeys: []string{"k"}, Accept: []string{"default"}}},
			Absent: policy.Absent{Pass: true, Events: []string{"e"}, Topics: []string{"t"}, Lists: []string{"l"}},
			Keys:   []string{"k"}, KeyPermissions: map[string][]string{"k": {"p"}}, Requests: map[string][]string{"eavesdrop": nil},
			TenantKeys: []string{"domain"}, PlainKeys: []string{"uuid"}, Streams: []string{"s"},
		}},
		{Name: "b", ID: "i3", Policy: &policy.Policy{Events: []string{}}},
	}
}

func TestParcelsCross(t *testing.T) {
	for _, want := range parcels() {
		data := appendParcel(nil, want)
		if len(data) > parcelSize(want) {
			t.Errorf("kind %d: %d bytes, but parcelSize says %d", want.Kind, len(data), parcelSize(want))
		}
		got, err := decodeItem(data, new(names))
		if err != nil {
			t.Errorf("kind %d: %v", want.Kind, err)
			continue
		}
		clear(data) // the parcel has memory of its own
		if !reflect.DeepEqual(got.parcel, want) {
			t.Errorf("got  %+v\nwant %+v", got.parcel, want)
		}
	}
}

// Every field of a Parcel but the lease crosses, also those that are added later.
func TestEveryFieldOfAParcelCrosses(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		want := &actors.Parcel{}
		fill(random, reflect.ValueOf(want).Elem())
		want.Kind = actors.ParcelKind(1 + random.IntN(7))
		want.Left = want.Left.Abs() % maxLeft
		want.Lease = nil
		got, err := decodeItem(appendParcel(nil, want), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.parcel, want) {
			t.Fatalf("got  %+v\nwant %+v", got.parcel, want)
		}
	}
}

// Every field of an Offered crosses, also those that are added later.
func TestEveryFieldOfAnInstanceCrosses(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var want actors.Offered
		fill(random, reflect.ValueOf(&want).Elem())
		got, err := decodeItem(appendOffered(nil, 7, &want), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.offered, want) || got.number != 7 {
			t.Fatalf("got  %+v\nwant %+v", got.offered, want)
		}
	}
}

// fill sets every field to something that is not its zero value.
func fill(random *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(string(rune('a'+random.IntN(26))) + "xyz"[:random.IntN(4)])
	case reflect.Bool:
		v.SetBool(random.IntN(4) > 0)
	case reflect.Int:
		v.SetInt(1 + random.Int64N(1<<30))
	case reflect.Int64:
		v.SetInt(1 + random.Int64N(1<<60))
	case reflect.Uint8:
		v.SetUint(uint64(1 + random.IntN(255)))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+random.IntN(3), 3))
		for i := range v.Len() {
			fill(random, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(random, key)
		fill(random, value)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Name != "Lease" {
				fill(random, v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(random, v.Elem())
	default:
		panic("a field of a kind that the test does not know: " + v.Kind().String())
	}
}

func TestInstancesCross(t *testing.T) {
	for _, want := range offers() {
		got, err := decodeItem(appendOffered(nil, 9, &want), nil)
		if err != nil {
			t.Error(err)
		}
		if !reflect.DeepEqual(got.offered, want) {
			t.Errorf("got  %+v\nwant %+v", got.offered, want)
		}
	}
}

// items returns one encoded item of each kind.
func items() [][]byte {
	var all [][]byte
	for _, p := range parcels() {
		all = append(all, appendParcel(nil, p))
	}
	for _, o := range offers() {
		all = append(all, appendOffered(nil, 1<<40, &o))
	}
	return append(all, appendWithdrawn(nil, "a", "i1"), appendNamed(nil, itemWatched, 3, "a"), appendNamed(nil, itemUnwatched, 0, "a"),
		appendNumber(nil, itemAck, 1<<63), appendNumber(nil, itemKnown, 0),
		appendRedeemed(nil, actors.Redemption{Session: actors.Session{ID: actors.SessionID{1}, Generation: 7}, Until: time.Unix(1<<31, 0)}))
}

// An item that is cut short anywhere, or has something after it, is refused.
func TestCutItems(t *testing.T) {
	for _, data := range items() {
		for n := range data {
			if _, err := decodeItem(data[:n], nil); !errors.Is(err, errItem) {
				t.Errorf("kind %d, %d of %d bytes: %v", data[0], n, len(data), err)
			}
		}
		if _, err := decodeItem(append(bytes.Clone(data), 0), nil); !errors.Is(err, errItem) {
			t.Errorf("kind %d with a byte more: %v", data[0], err)
		}
	}
}

func TestHostileItems(t *testing.T) {
	long := make([]byte, maxText+1)
	for name, data := range map[string][]byte{
		"nothing":               {},
		"unknown kind":          {99},
		"kind 0":                {0},
		"unknown flag":          {byte(actors.GoneParcel), parcelFlags + 1, 0},
		"instance's flag":       {byte(itemOffered), 0, instanceFlags + 1, 1, 'a', 1, 'i', 0, 0},
		"length without bytes":  {byte(itemWatched), 0, 0xff, 0xff, 0xff, 0xff, 0x7f},
		"length beyond 64 bits": {byte(itemWatched), 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		"long name":             appendNamed(nil, itemWatched, 0, string(long)),
		"many instances": appendParcel(nil, &actors.Parcel{
			Kind: actors.AskParcel, Instances: make([]string, maxInstances+1),
		}),
		"list without elements": {byte(actors.AskParcel), 0, 0, 0, 0, 0xff, 0xff, 0x03},
		"too much time":         appendParcel(nil, &actors.Parcel{Kind: actors.AskParcel, Left: maxLeft + 1}),
		"policy":                append(appendNumber(nil, itemOffered, 0), 0, 1, 'a', 1, 'i', 0, 1, '{'),
		"long policy":           appendText(append(appendNumber(nil, itemOffered, 0), 0, 1, 'a', 1, 'i', 0), make([]byte, maxPolicy+1)),
	} {
		if i, err := decodeItem(data, nil); !errors.Is(err, errItem) {
			t.Errorf("%s: got %+v, %v", name, i, err)
		}
	}
	// Less time than none is none.
	if i, err := decodeItem(appendParcel(nil, &actors.Parcel{Kind: actors.AskParcel, Left: -1}), nil); err != nil || i.parcel.Left != 0 {
		t.Errorf("a request without time left: %+v, %v", i.parcel, err)
	}
}

// headers are of each kind.
func headers() []header {
	return []header{
		{kind: kindBegin, session: 1},
		{kind: kindReset, session: 1 << 60},
		{kind: kindItems, session: 7, first: 1 << 40, count: maxItems},
		{kind: kindFragment, session: 7, first: 8, count: 9, more: true},
		{kind: kindFragment, session: 7, first: 8, count: 10},
		{kind: kindMark, session: 7, first: 1 << 63, count: 1<<64 - 1, more: true},
	}
}

// body is what follows a header in the tests.
func (h *header) body() []byte {
	if h.kind == kindItems || h.kind == kindFragment {
		return []byte("x")
	}
	return nil
}

func TestHeadersCross(t *testing.T) {
	for _, want := range headers() {
		want.version, want.sender = protocolVersion, nodeID{1, 2, 15: 3}
		data := append(want.append(nil), want.body()...)
		if len(data) > maxHeader+1 {
			t.Errorf("kind %d: %d bytes, but maxHeader says %d", want.kind, len(data), maxHeader)
		}
		got, body, err := parseHeader(data)
		if err != nil || got != want || !bytes.Equal(body, want.body()) {
			t.Errorf("got  %+v %q, %v\nwant %+v", got, body, err, want)
		}
		for n := range data {
			if _, _, err := parseHeader(data[:n]); !errors.Is(err, errItem) {
				t.Errorf("kind %d, %d of %d bytes: %v", want.kind, n, len(data), err)
			}
		}
	}
}

func TestHostileHeaders(t *testing.T) {
	for name, h := range map[string]header{
		"unknown kind":       {kind: 9},
		"no items":           {kind: kindItems, first: 1},
		"too many items":     {kind: kindItems, first: 1, count: maxItems + 1},
		"numbers that wrap":  {kind: kindItems, first: 1<<64 - 1, count: 2},
		"items without body": {kind: kindItems, first: 1, count: 1},
	} {
		if _, _, err := parseHeader(h.append(nil)); !errors.Is(err, errItem) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzItem(f *testing.F) {
	for _, data := range items() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := decodeItem(data, new(names))
		if err != nil || i.parcel == nil {
			return
		}
		// What was read is written and read as the same.
		again, err := decodeItem(appendParcel(nil, i.parcel), nil)
		if err != nil || !reflect.DeepEqual(again.parcel, i.parcel) {
			t.Fatalf("got %+v, %v\nwant %+v", again.parcel, err, i.parcel)
		}
	})
}
