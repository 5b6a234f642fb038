package panel

import (
	"encoding/json"

	"strowger/system/service"
)

// partOf reads what another node has answered. If that node has failed, there is nothing of it.
func partOf[T any](r service.Request, a service.Answer) T {
	var part T
	if a.Status >= 400 {
		r.Log().Debug("a node has not answered its part", "node", a.Node, "topic", r.Topic(), "status", a.Status)
		return part
	}
	if err := json.Unmarshal(a.Payload, &part); err != nil {
		r.Log().Warn("a node's part of an answer cannot be read", "node", a.Node, "topic", r.Topic(), "err", err)
		var none T
		return none
	}
	return part
}

// partly is an action_response of another node.
type partly[V any] struct {
	Success bool        `json:"success"`
	States  stateMap[V] `json:"states"`
}

// stateMap is a map that is written as object writes it.
type stateMap[V any] map[string]V

// UnmarshalJSON reads an object, or an empty list.
func (m *stateMap[V]) UnmarshalJSON(text []byte) error {
	if string(text) == "[]" {
		return nil
	}
	return json.Unmarshal(text, (*map[string]V)(m))
}

// addPhones adds the phones that are registered at the switches of other nodes.
func addPhones(phones map[string]int, more map[string]int) map[string]int {
	sum := make(map[string]int, len(phones)+len(more))
	for extension, n := range phones {
		sum[extension] = n
	}
	for extension, n := range more {
		sum[extension] += n
	}
	return sum
}
