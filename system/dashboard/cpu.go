package dashboard

import "math"

// cpuStatus is the payload of cpu_status, in percent with two decimals.
type cpuStatus struct {
	Status struct {
		Total   float64   `json:"total"`
		PerCore []float64 `json:"per_core"` // one for each core, or the pages draw nothing
	} `json:"cpu_status"`
}

// load returns how busy the cores were between two samples. A core that was not there before, and
// one whose time stood still, counts as idle.
func load(before, after []Core) any {
	last := make(map[string]Core, len(before))
	for _, core := range before {
		last[core.Name] = core
	}
	var s cpuStatus
	s.Status.PerCore = make([]float64, len(after))
	var sum float64
	for i, core := range after {
		was, known := last[core.Name]
		if !known {
			continue
		}
		usage := busy(was, core)
		s.Status.PerCore[i] = round(usage)
		sum += usage
	}
	if len(after) > 0 {
		s.Status.Total = round(sum / float64(len(after)))
	}
	return s
}

// busy returns how busy one core was, in percent.
func busy(before, after Core) float64 {
	total, idle := after.Total-before.Total, after.Idle-before.Idle
	if total <= 0 {
		return 0
	}
	// The kernel's idle times may step back a little.
	return min(max((total-idle)/total*100, 0), 100)
}

func round(x float64) float64 { return math.Round(x*100) / 100 }
