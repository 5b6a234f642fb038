package switchsim

import (
	"regexp"
	"strings"
)

// answer returns what the switch says to an api command: what it said in the recording, else what a
// switch without calls says.
func (s *Simulator) answer(command string) string {
	if answer := s.opts.Faults.Answer; answer != nil {
		if text, ok := answer(command); ok {
			return text
		}
	}
	if text, ok := s.recording.Answer(command, s.now()); ok {
		return text
	}
	for _, d := range s.defaults {
		if d.command.MatchString(command) {
			return d.text
		}
	}
	name, _, _ := strings.Cut(command, " ")
	return "-ERR " + name + " Command not found!\n"
}

// fallback is an answer that no recording has.
type fallback struct {
	command *regexp.Regexp
	text    string
}

// defaults are in order: the first that matches counts.
func defaults() []fallback {
	const uuid = `[0-9a-fA-F-]{36}`
	var all []fallback
	for _, d := range [][2]string{
		{`version`, "Simulator: strowger plays a recording of FreeSWITCH 1.11\n"},
		{`status|uptime`, "Simulator: strowger plays a recording of a real FreeSWITCH\n"},
		{`show (channels|calls|registrations) as json`, "{\"row_count\": 0}\n"},
		{`conference json_list`, "[]"},
		{`conference '?[^ ']+'? .*`, "-ERR Conference not found\n"},
		{`uuid_(kill|getvar|setvar|transfer) ffffffff-.*`, "-ERR No such channel!\n"},
		{`uuid_kill`, "-USAGE: <uuid> [cause]\n"},
		{`uuid_kill ` + uuid, "+OK\n"},
		{`uuid_getvar ` + uuid + ` .*`, "_undef_"},
		{`uuid_(setvar|transfer|bridge) ` + uuid + ` .*`, "+OK\n"},
		{`uuid_broadcast ` + uuid + ` .*`, "+OK Message sent\n"},
		{`uuid_buglist ` + uuid, "<media-bugs>\n</media-bugs>\n"},
		{`uuid_record ` + uuid + ` (start|stop) .+`, "+OK Success\n"},
		{`uuid_(kill|getvar|setvar|transfer)( .*)?`, "-ERR No such channel!\n"},
		{`global_getvar recordings_dir`, "/var/lib/freeswitch/recordings"},
		{`valet_info \S+`, "<lots>\n</lots>\n"},
		{`callcenter_config .*`, "+OK\n"},
		{`bgapi .+`, "+OK Job-UUID: 0b000000-0000-4000-8000-000000000001\n"},
		{`originate .*`, "+OK 0c000000-0000-4000-8000-000000000001\n"},
	} {
		all = append(all, fallback{regexp.MustCompile(`^(?s:` + d[0] + `)$`), d[1]})
	}
	return all
}
