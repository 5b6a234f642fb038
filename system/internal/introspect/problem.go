package introspect

// Problem is one thing that keeps the system from serving.
type Problem struct {
	Part   string `json:"part"` // "listener", "tokens", "service active.calls"
	Reason string `json:"reason"`
}
