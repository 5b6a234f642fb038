package dashboard

// networkStatus is the payload of network_status, in bits per second with two decimals.
type networkStatus struct {
	Status struct {
		Received float64 `json:"rx_bps"`
		Sent     float64 `json:"tx_bps"`
	} `json:"network_status"`
}

// rate returns how much passed between two samples. It is nothing where they cannot be compared:
// the interface does not exist, is another one now, or its counters have begun anew.
func rate(before, after Traffic) any {
	var s networkStatus
	seconds := after.At.Sub(before.At).Seconds()
	anew := after.Received < before.Received || after.Sent < before.Sent
	if seconds <= 0 || after.Interface == "" || after.Interface != before.Interface || anew {
		return s
	}
	// FusionPBX's own service multiplies by 10, so its pages show a quarter more.
	s.Status.Received = round(float64(after.Received-before.Received) * 8 / seconds)
	s.Status.Sent = round(float64(after.Sent-before.Sent) * 8 / seconds)
	return s
}
