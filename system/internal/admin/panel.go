package admin

import "strowger/system/internal/introspect"

// panelCounter is one number of introspect.Panel.
type panelCounter struct {
	name  string
	help  string
	value func(*introspect.Panel) int64
}

func panelCounters() []panelCounter {
	return []panelCounter{
		{"strowger_panel_refused_calls_total", "Calls that operators could not begin, because they had begun too many within a minute.",
			func(p *introspect.Panel) int64 { return p.Refused }},
		{"strowger_panel_unasked_recordings_total", "Calls that the switch was not asked about whether they are recorded, because they were too many or it was too slow.",
			func(p *introspect.Panel) int64 { return p.Unasked }},
	}
}
