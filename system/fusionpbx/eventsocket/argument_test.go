package eventsocket_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"strowger/system/fusionpbx/eventsocket"
)

const uuid = "02e64483-a333-4257-bcb4-76492cdeffe1"

// TestConstructorsRefuse tries everything that ends a command, adds an argument or has a meaning to the switch.
func TestConstructorsRefuse(t *testing.T) {
	constructors := map[string]struct {
		good  string
		allow string // characters of hostile that this constructor accepts
		parse func(string) error
	}{
		"uuid":   {uuid, "", func(s string) error { _, err := eventsocket.ParseUUID(s); return err }},
		"arg":    {"3001@a.example.com", "", func(s string) error { _, err := eventsocket.NewArg(s); return err }},
		"path":   {"/rec/a.wav", "/", func(s string) error { _, err := eventsocket.NewPath(s); return err }},
		"name":   {"Zoë Müller", " ", func(s string) error { _, err := eventsocket.NewName(s); return err }},
		"user":   {"*5901", "", func(s string) error { _, err := eventsocket.NewDestination(s, "a.example.com"); return err }},
		"domain": {"a.example.com", "", func(s string) error { _, err := eventsocket.NewDestination("1001", s); return err }},
	}
	hostile := "\n\r\x00\t\v\f\x1b\x7f\u0085\u2028 '\"`\\%$&|;:,()[]{}<>=!?^~/\xff"
	for name, c := range constructors {
		t.Run(name, func(t *testing.T) {
			if err := c.parse(c.good); err != nil {
				t.Fatalf("%q was refused: %v", c.good, err)
			}
			bad := []string{"\n", c.good + "\n", c.good + "\n\napi system id", "\n\n" + c.good, c.good + "\r\n", c.good + " ", " " + c.good, strings.Repeat("a", 513)}
			if name != "name" {
				bad = append(bad, "", "-bleg", "%0a%0a")
			}
			for _, b := range []byte(hostile) {
				if !strings.Contains(c.allow, string([]byte{b})) {
					bad = append(bad, c.good[:1]+string([]byte{b})+c.good[1:])
				}
			}
			for _, r := range hostile {
				if !strings.ContainsRune(c.allow, r) {
					bad = append(bad, c.good[:1]+string(r)+c.good[1:], string(r))
				}
			}
			for _, s := range bad {
				if err := c.parse(s); !errors.Is(err, eventsocket.ErrArgument) {
					t.Errorf("%q was accepted: %v", s, err)
				}
			}
		})
	}
	if _, err := eventsocket.NewPath("/rec/../../etc/passwd"); err == nil {
		t.Error("a path with .. was accepted")
	}
	if _, err := eventsocket.NewDestination("1001@b.example.com", "a.example.com"); err == nil {
		t.Error("a user with a domain was accepted")
	}
}

// TestCommandsTakeNoStrings fails if a variable of type string could become part of a command without a
// constructor.
func TestCommandsTakeNoStrings(t *testing.T) {
	for name, f := range map[string]any{
		"API": eventsocket.API, "BGAPI": eventsocket.BGAPI, "Text": eventsocket.Text, "Var": eventsocket.Var,
		"VarName": eventsocket.VarName, "App": eventsocket.App, "Match": eventsocket.Match,
	} {
		typ := reflect.TypeOf(f)
		for i := range typ.NumIn() {
			if in := typ.In(i); in.Kind() == reflect.String && (in.PkgPath() == "" || in.Name()[0] < 'a') {
				t.Errorf("%s takes a %s, which a caller can make of any string", name, in)
			}
		}
	}
	argument := reflect.TypeFor[eventsocket.Argument]()
	for i := range argument.NumMethod() {
		if argument.Method(i).IsExported() {
			t.Error("other packages can implement Argument")
		}
	}
}

func TestCommandText(t *testing.T) {
	id, _ := eventsocket.ParseUUID(uuid)
	phone, _ := eventsocket.NewDestination("1005", "a.example.com")
	name, _ := eventsocket.NewName("Eavesdrop")
	number, _ := eventsocket.NewArg("1001")
	status, _ := eventsocket.NewName("On Break")
	path, _ := eventsocket.NewPath("/var/lib/freeswitch/rec/x/y.wav")
	empty, _ := eventsocket.NewName("")
	tests := map[string]eventsocket.Command{
		"show channels as json": eventsocket.API("show channels as json"),
		"uuid_kill " + uuid:     eventsocket.API("uuid_kill", id),
		"originate {origination_caller_id_name=Eavesdrop,origination_caller_id_number=1001}user/1005@a.example.com &eavesdrop(" + uuid + ")": eventsocket.BGAPI("originate",
			eventsocket.Join(eventsocket.Variables(eventsocket.VarName("origination_caller_id_name", name), eventsocket.Var("origination_caller_id_number", number)), eventsocket.Text("user/"), phone),
			eventsocket.App("eavesdrop", id)),
		"callcenter_config agent set status agent3 'On Break'":               eventsocket.API("callcenter_config agent set status agent3", status.Quoted()),
		"uuid_record " + uuid + " start /var/lib/freeswitch/rec/x/y.wav":     eventsocket.API("uuid_record", id, eventsocket.Text("start"), path),
		"uuid_transfer " + uuid + " -bleg 1005 XML a.example.com":            eventsocket.API("uuid_transfer", id, eventsocket.Text("-bleg"), phone.User(), eventsocket.Text("XML"), phone.Domain()),
		"conference 3001@a.example.com energy 7":                             eventsocket.API("conference", eventsocket.Join(eventsocket.Int(3001), eventsocket.Text("@"), phone.Domain()), eventsocket.Text("energy"), eventsocket.Int(7)),
		"originate {a=}user/1005@a.example.com":                              eventsocket.API("originate", eventsocket.Join(eventsocket.Variables(eventsocket.VarName("a", empty)), eventsocket.Text("user/"), phone)),
		"uuid_broadcast " + uuid + " att_xfer::user/1005@a.example.com both": eventsocket.API("uuid_broadcast", id, eventsocket.Join(eventsocket.Text("att_xfer::user/"), phone), eventsocket.Text("both")),
	}
	for want, command := range tests {
		if err := command.Err(); err != nil || command.String() != want {
			t.Errorf("got %q, %v, want %q", command, err, want)
		}
	}
}

// TestZeroArguments makes commands of values whose constructors failed or were not called.
func TestZeroArguments(t *testing.T) {
	id, _ := eventsocket.ParseUUID("x\n\napi system id")
	var name eventsocket.Name
	commands := map[string]eventsocket.Command{
		"zero command":     {},
		"zero uuid":        eventsocket.API("uuid_kill", id),
		"nil":              eventsocket.API("uuid_kill", nil),
		"zero destination": eventsocket.API("originate", eventsocket.Destination{}),
		"in a join":        eventsocket.API("originate", eventsocket.Join(eventsocket.Text("user/"), eventsocket.Destination{})),
		"in an app":        eventsocket.API("originate", eventsocket.App("eavesdrop", id)),
		"in a variable":    eventsocket.API("originate", eventsocket.Variables(eventsocket.VarName("a", name))),
		"quoted":           eventsocket.API("x", name.Quoted()),
		"two lines":        eventsocket.API("uuid_kill\n\napi system id"),
		"text of lines":    eventsocket.API("uuid_kill", eventsocket.Text("a\nb")),
		"variable of two":  eventsocket.API("x", eventsocket.Variables(eventsocket.Var("a", eventsocket.Text("1,b=2")))),
	}
	client, err := eventsocket.New(eventsocket.Options{Password: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for name, command := range commands {
		if _, err := client.Do(t.Context(), command); !errors.Is(err, eventsocket.ErrArgument) {
			t.Errorf("%s: %v, want ErrArgument", name, err)
		}
	}
	for _, password := range []string{"", "a\nb", "a\n\napi system id"} {
		if _, err := eventsocket.New(eventsocket.Options{Password: password}); err == nil {
			t.Errorf("password %q was accepted", password)
		}
	}
	for _, filter := range []eventsocket.Filter{{}, eventsocket.Match("A B", "c"), eventsocket.Match("A", "b\n\napi x"), eventsocket.Match("A", "")} {
		if _, err := client.Subscribe("x", filter); !errors.Is(err, eventsocket.ErrArgument) {
			t.Errorf("filter %v was accepted", filter)
		}
	}
}
