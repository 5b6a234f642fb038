package dropin

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"

	"strowger/config"
	"strowger/config/policy"
)

// Unit is the unit of FusionPBX's router.
const Unit = "websockets"

// file is the name of each drop-in. What `systemctl edit` writes, override.conf, comes after it and counts more.
const file = "50-strowger.conf"

// inside says that a service of FusionPBX runs in the router.
const inside = "inside"

var (
	//go:embed router.conf
	routerText string
	//go:embed service.conf
	serviceText string

	routerTemplate  = template.Must(template.New("router").Parse(routerText))
	serviceTemplate = template.Must(template.New("service").Parse(serviceText))
)

// Router is what the drop-in of the router says.
type Router struct {
	Program string // absolute path of strowger
	Config  string // file of --config, empty without one
	Alone   bool   // all services stay in PHP
}

// text returns the drop-in.
func (r Router) text() string { return render(routerTemplate, r) }

// environ returns the variables that the drop-in sets.
func (r Router) environ() []string {
	var set []string
	for _, match := range environmentLine.FindAllStringSubmatch(r.text(), -1) {
		set = append(set, strings.Fields(match[1])...)
	}
	return set
}

var (
	environmentLine = regexp.MustCompile(`(?m)^Environment=(.*)$`)
	execLine        = regexp.MustCompile(`(?m)^ExecStart=@(\S+) strowger-websockets serve --fusionpbx(?: --config (\S+))?$`)
	standIn         = regexp.MustCompile(`path=/bin/echo |path=/usr/bin/echo `)
	ranLine         = regexp.MustCompile(`(?m)^Ran=yes$`)
)

// parseRouter reads the drop-in of any version.
func parseRouter(text string) (Router, bool) {
	match := execLine.FindStringSubmatch(text)
	if match == nil {
		return Router{}, false
	}
	return Router{Program: match[1], Config: match[2], Alone: environmentLine.MatchString(text)}, true
}

// Service is one of FusionPBX that strowger can serve itself.
type Service struct {
	Unit    string // of PHP
	Name    string
	Setting string // leaves it to PHP
	Served  bool   // strowger serves it
	Ran     bool   // PHP ran before
}

// text returns the drop-in.
func (s Service) text() string { return render(serviceTemplate, s) }

// Services returns FusionPBX's services that strowger can serve itself, and whether it does with a configuration.
func Services(cfg *config.Config) []Service {
	s := &cfg.Services
	all := []Service{
		{Name: policy.ActiveCalls, Setting: "services.active_calls: php", Served: s.ActiveCalls == inside},
		{Name: policy.ActiveConferences, Setting: "services.active_conferences: php", Served: s.ActiveConferences == inside},
		{Name: policy.OperatorPanel, Setting: "services.operator_panel: php", Served: s.OperatorPanel == inside},
		{Name: policy.SystemDashboard, Setting: "dashboard.enabled: false", Served: cfg.Dashboard.Enabled},
	}
	for i := range all {
		all[i].Unit = policy.BuiltinUnit(all[i].Name)
	}
	return all
}

func render(t *template.Template, data any) string {
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		panic(err) // a template of ours with data of ours
	}
	return out.String()
}

// plainPath is a path that a unit needs no quotes for.
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9/._+-]+$`)

// check refuses what the unit could not start.
func (r Router) check() error {
	for _, path := range []string{r.Program, r.Config} {
		if path != "" && !plainPath.MatchString(path) {
			return fmt.Errorf("%q cannot stand in a unit: want an absolute path of letters, digits and . _ + -", path)
		}
	}
	for _, hidden := range []string{"/home/", "/root/", "/run/user/"} {
		if strings.HasPrefix(r.Program, hidden) {
			return fmt.Errorf("%s: the unit sees nothing below %s (ProtectHome=); install the program first: install -m 0755 %s /usr/local/bin/strowger", r.Program, hidden, r.Program)
		}
		if strings.HasPrefix(r.Config, hidden) {
			return fmt.Errorf("--config %s: the unit sees nothing below %s (ProtectHome=); put the file into /etc", r.Config, hidden)
		}
	}
	for _, passing := range []string{"/tmp/", "/var/tmp/"} {
		if strings.HasPrefix(r.Program, passing) {
			return fmt.Errorf("%s does not stay there; install the program first: install -m 0755 %s /usr/local/bin/strowger", r.Program, r.Program)
		}
	}
	return nil
}
