package switchsim

import (
	"regexp"
	"slices"
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
	if text, ok := s.plays().Answer(command, s.now()); ok {
		return text
	}
	if text, ok := s.level(command); ok {
		return text
	}
	for _, d := range s.defaults() {
		if d.command.MatchString(command) {
			return d.text
		}
	}
	name, _, _ := strings.Cut(command, " ")
	return "-ERR " + name + " Command not found!\n"
}

// level answers a command that sets a level of a member of a conference, if the recording has an answer to the one that
// asks for it. FusionPBX asks for levels that it then does not set.
func (s *Simulator) level(command string) (string, bool) {
	words := strings.Fields(command) // conference NAME volume_in MEMBER LEVEL
	if len(words) != 5 || words[0] != "conference" || !slices.Contains([]string{"energy", "volume_in", "volume_out"}, words[2]) {
		return "", false
	}
	text, ok := s.plays().Answer(strings.Join(words[:4], " "), s.now())
	i := strings.LastIndexByte(text, '=')
	if !ok || i < 0 || strings.HasPrefix(text, "-") {
		return "", false
	}
	return text[:i+1] + " " + words[4] + "\n", true
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
