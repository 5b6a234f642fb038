package policy

// The services of FusionPBX that have built-in policies, by the names that clients call them.
const (
	ActiveCalls       = "active.calls"
	ActiveConferences = "active.conferences"
	OperatorPanel     = "active.operator.panel"
	SystemDashboard   = "dashboard.system.information"
)

// The classes of these services. A service's token holds its class, and a policy has the name of the class that
// it is for.
const (
	ActiveCallsClass       = "active_calls_service"
	ActiveConferencesClass = "active_conferences_service"
	OperatorPanelClass     = "operator_panel_service"
	SystemDashboardClass   = "system_dashboard_service"
)

// Class is a class of FusionPBX's services.
type Class struct {
	Name    string // in tokens, and of the policy
	Service string // what clients call the service
	Unit    string // the systemd unit that runs FusionPBX's own service
}

// Classes returns FusionPBX's classes, sorted by name. Each has a built-in policy. It is the only list of them: the
// configuration, the tokens and the log take their names from here.
func Classes() []Class {
	return []Class{
		{ActiveCallsClass, ActiveCalls, "active_calls"},
		{ActiveConferencesClass, ActiveConferences, "active_conferences"},
		{OperatorPanelClass, OperatorPanel, "operator_panel"},
		{SystemDashboardClass, SystemDashboard, "system_status"},
	}
}

// BuiltinClass returns the class that FusionPBX's service of this name has in its token; empty for
// other names.
func BuiltinClass(service string) string {
	for _, class := range Classes() {
		if class.Service == service {
			return class.Name
		}
	}
	return ""
}

// BuiltinService returns the name that FusionPBX's service of this class serves; empty for other classes.
func BuiltinService(class string) string {
	for _, known := range Classes() {
		if known.Name == class {
			return known.Service
		}
	}
	return ""
}

// BuiltinUnit returns the systemd unit that runs FusionPBX's service of this name; empty for other names.
func BuiltinUnit(service string) string {
	for _, class := range Classes() {
		if class.Service == service {
			return class.Unit
		}
	}
	return ""
}
