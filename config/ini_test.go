package config

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// iniTexts are files that are no errors; PHP is asked about each as well.
var iniTexts = []struct {
	name, text string
	want       map[string]string // values without err
}{
	{"empty", "", map[string]string{}},
	{"one", "a = 1", map[string]string{"a": "1"}},
	{"dotted", "database.0.type = pgsql\n", map[string]string{"database.0.type": "pgsql"}},
	{"no blanks", "a=1\nb=2\n", map[string]string{"a": "1", "b": "2"}},
	{"blanks", " \t a \t = \t x y \t \n", map[string]string{"a": "x y"}},
	{"byte order mark", "\ufeffa = 1\n", map[string]string{"a": "1"}},
	{"windows line ends", "a = 1\r\nb = \r\nc = 3\r\n", map[string]string{"a": "1", "b": "", "c": "3"}},
	{"old mac line ends", "a = 1\rb = 2\r", map[string]string{"a": "1", "b": "2"}},
	{"empty value", "a =\nb = ;x\nc = \"\"\nd = ''\n", map[string]string{"a": "", "b": "", "c": "", "d": ""}},
	{"comments", "; a = 1\n#b = 2\n  # c = 3\n;\n#\nd = 4\n", map[string]string{"d": "4"}},
	{"comment after a value", "a = x ; y\nb = x;y\nc = \"x;y\" ; z\nd = 'x' ;z\n", map[string]string{"a": "x", "b": "x", "c": "x;y", "d": "x"}},
	{"quote in a comment", "a = x ; it's\nb = 1\n", map[string]string{"a": "x", "b": "1"}},
	{"number sign in a value", "a = x#y # z\n", map[string]string{"a": "x#y # z"}},
	{"sections", "a = 1\n[one]\nb = 2\n[two] ; x\n[]\nc = 3\n", map[string]string{"a": "1", "b": "2", "c": "3"}},
	{"double quotes", `a = "it's \"x\" \\ \n \'"` + "\n", map[string]string{"a": `it's "x" \ \n \'`}},
	{"escaped dollar", `a = "\$x \\$y"` + "\n", map[string]string{"a": `$x \$y`}},
	{"backslash before the last quote", "a = \"C:\\dir\\\"\nb = \"\\\"", map[string]string{"a": `C:\dir\`, "b": `\`}},
	{"single quotes", `a = 'a "b" \ \\ ${HOME}'` + "\n", map[string]string{"a": `a "b" \ \\ ${HOME}`}},
	{"blanks in quotes", `a = "  x  "  `, map[string]string{"a": "  x  "}},
	{"value of several lines", "a = \"x\n\n; y = 1\r\nz\"\nb = 2\n", map[string]string{"a": "x\n\n; y = 1\r\nz", "b": "2"}},
	{"dollar", "a = p$s\nb = \"p$s$\"\nc = $x y\n", map[string]string{"a": "p$s", "b": "p$s$", "c": "$x y"}},
	{"dollar before anything", "a = Pa$$w0rd\nb = a$-b\nc = a$.b\nd = x$;y ; z\ne = x$\"y\nf = a$&b\ng = x$\\;z\nh = $on\ni = x$ y\nj = x$ \nk = x$$\n",
		map[string]string{"a": "Pa$$w0rd", "b": "a$-b", "c": "a$.b", "d": "x$;y", "e": `x$"y`, "f": "a$&b", "g": `x$\;z`, "h": "$on", "i": "x$ y", "j": "x$ ", "k": "x$$"}},
	{"odd characters", "a = a@b%c*d?e<f>g,h:i/j\\k[l]{m}`n\n", map[string]string{"a": "a@b%c*d?e<f>g,h:i/j\\k[l]{m}`n"}},
	{"words", "a = on\nb = Yes\nc = TRUE\nd = off\ne = no\nf = none\ng = NULL\nh = false\n",
		map[string]string{"a": "1", "b": "1", "c": "1", "d": "", "e": "", "f": "", "g": "", "h": ""}},
	{"words in quotes", "a = \"on\"\nb = 'null'\nc = nothing\n", map[string]string{"a": "on", "b": "null", "c": "nothing"}},
	{"number as written", "a = 010\nb = 0x1F\nc = -5\n", map[string]string{"a": "010", "b": "0x1F", "c": "-5"}},
	{"last one counts", "a = 1\na = 2\nb = 1\nb =\n", map[string]string{"a": "2", "b": ""}},
	{"key without a value", "a\nb ; = 1\nc : 1\nd = 4\n", map[string]string{"d": "4"}},
	{"apostrophe in a key", "it's = x\n", map[string]string{"it's": "x"}},
	{"text behind a section", "[a] b = 1\n[c]d\n[e]]\nf=2\n[g]#\n['h]']\n[\"i]\"]j=3\n", map[string]string{"b": "1", "f": "2", "j": "3"}},
	{"almost constants", "a = e_all\nb = E_ALL.x\nc = $E_ALL\nd = E_ALLX\ne = X_E_ALL\nf = \"E_ALL\"\ng = SECRET\nh = E_ALL-1\ni = Inf\nj = __LINE__\n",
		map[string]string{"a": "e_all", "b": "E_ALL.x", "c": "$E_ALL", "d": "E_ALLX", "e": "X_E_ALL", "f": "E_ALL", "g": "SECRET", "h": "E_ALL-1", "i": "Inf", "j": "__LINE__"}},
	{"unicode", "a = é\nb = \"é\"\n", map[string]string{"a": "é", "b": "é"}},
}

func TestINI(t *testing.T) {
	for _, test := range iniTexts {
		t.Run(test.name, func(t *testing.T) {
			entries, problem := parseINI([]byte(test.text))
			if problem != nil {
				t.Fatal(problem)
			}
			if len(entries) != len(test.want) {
				t.Errorf("got %v", entries)
			}
			for name, want := range test.want {
				entry, ok := entries[name]
				if !ok || entry.err != nil || entry.value != want {
					t.Errorf("%s: got %q, error %v, there: %v; want %q", name, entry.value, entry.err, ok, want)
				}
			}
		})
	}
}

func TestINIValuesThatAreNotWhatTheyLook(t *testing.T) {
	outside := func(c string) string { return "has " + c + " outside of quotes, put the whole value in double quotes" }
	constant := func(name string) string {
		return "has " + name + ", a constant of PHP, outside of quotes; write its value, or put it in double quotes if it is a text"
	}
	tests := map[string]string{
		"p&ss": outside("&"), "p|ss": outside("|"), "p^ss": outside("^"), "p~ss": outside("~"), "p!ss": outside("!"),
		"p(s)": outside("("), "p=s": outside("="),
		"${HOME}":   errInterpolation.Error(),
		`"${HOME}"`: errInterpolation.Error(),
		"(8080)":    outside("("), "!1": outside("!"), "~8": outside("~"), "E_ALL & ~E_NOTICE": outside("&"),
		"E_ALL": constant("E_ALL"), "PHP_OS": constant("PHP_OS"), "x M_PI ": constant("M_PI"), "INF;": constant("INF"), "DIRECTORY_SEPARATOR": constant("DIRECTORY_SEPARATOR"),
		`'x''y'`: errParts.Error(), `"x" y`: errParts.Error(), `x"y"`: errParts.Error(), `it's 'x`: errParts.Error(), `x "y" ; z`: errParts.Error(), `"x" # y`: errParts.Error(),
	}
	for text, want := range tests {
		entries, problem := parseINI([]byte("\na = " + text + "\nb = 2\n"))
		if problem != nil {
			t.Errorf("%s: %v", text, problem)
			continue
		}
		if entry := entries["a"]; entry.err == nil || entry.err.Error() != want || entry.line != 2 {
			t.Errorf("%s: got %q, line %d, error %v; want error %s", text, entry.value, entry.line, entry.err, want)
		}
		if entry := entries["b"]; entry.value != "2" || entry.line != 3 {
			t.Errorf("%s: the next entry is %+v", text, entry)
		}
	}
}

func TestINIThatIsWrong(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"open double quote", "a = 1\nb = \"x\nc = 3\n", "2: quote is never closed"},
		{"open single quote", "a = 'x", "1: quote is never closed"},
		{"quote inside a value", "a = 1\nb = it's\nc = 'x'\n", "2: has a quote that is not closed in its line, in a value that does not begin with it"},
		{"dollar and backslash at the end", "a = x$\\\n", "1: has a $ at its end, in a value without quotes around it"},
		{"dollars around a backslash at the end", "a = $\\$\n", "1: has a $ at its end, in a value without quotes around it"},
		{"three dollars at the end", "a = x$$$\n", "1: has a $ at its end, in a value without quotes around it"},
		{"dollar at the end", "a = x$\n", "1: has a $ at its end, in a value without quotes around it"},
		{"quote in a key", "a\" = x\n", "1: has a quote where a key should be"},
		{"escaped quote", `a = "x\" `, "1: quote is never closed"},
		{"open section", "\r\n\r\n[a\r\n]\r\n", "3: section has no closing ]"},
		{"double quote inside a value", "a = x\"y\nb", "1: quote is never closed"},
		{"open quote before other entries", "a = it's\nb = 2\n", "1: quote is never closed"},
		{"no key", "a = 1\r = 2", "2: has a value without a key"},
		{"binary", "a = 1\nb = \x00", "2: has a NUL byte"},
		{"line after a long value", "a = \"\n\n\"\n[", "4: section has no closing ]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problem := parseINI([]byte(test.text))
			if problem == nil {
				t.Fatal("no error")
			}
			if got := strconv.Itoa(problem.Line) + ": " + problem.Msg; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestINIAgainstPHP asks PHP what it makes of files, hand-written and random.
// PHP has every value that we have, unless it refuses the whole file.
func TestINIAgainstPHP(t *testing.T) {
	php := requirePHP(t)
	var texts []string
	for _, test := range iniTexts {
		texts = append(texts, test.text)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 4500 {
		texts = append(texts, randomINI(random))
	}

	compared := 0
	for i, fromPHP := range askPHP(t, php, texts) {
		entries, problem := parseINI([]byte(texts[i]))
		if i < len(iniTexts) && fromPHP == nil {
			t.Errorf("PHP refuses %q", texts[i])
		}
		if fromPHP == nil || problem != nil {
			continue
		}
		for name, entry := range entries {
			if entry.err != nil {
				continue
			}
			compared++
			value, isText := fromPHP[name].(string)
			// PHP keeps blanks at the end of a file without a last newline.
			if !isText || strings.TrimRight(entry.value, iniBlanks) != strings.TrimRight(value, iniBlanks) {
				t.Errorf("%q: %s is %q, PHP has %v", texts[i], name, entry.value, fromPHP[name])
			}
		}
	}
	if compared < 500 {
		t.Errorf("only %d values were compared", compared)
	}
}

func requirePHP(t *testing.T) string {
	t.Helper()
	php, err := exec.LookPath("php")
	if err != nil {
		if os.Getenv("STROWGER_REQUIRE_PHP") == "1" {
			t.Fatal("php is required and not installed")
		}
		t.Skip("php is not installed")
	}
	return php
}

// randomINI makes a few entries of what has a meaning in a value.
func randomINI(random *rand.Rand) string {
	tokens := []string{"x", "y", "1", " ", " ", "\t", "=", "\r\n[z]\r\n", ";", "#", "\"", "\"", "'", "\\", "\\", "\\\"", "$", "$", "$$", "$x", "$-", "$.", "{", "}",
		"&", "!", "(", ")", "|", "^", "~", "on", "E_ALL", "PHP_OS", "M_PI", "_", ".", "true", "#", "none", "null", "é", "\"x\"", "\"x\n=\"", "'y'", "'\n'", ":", "%", ","}
	var text strings.Builder
	for _, name := range []string{"a", "b.c", "x", "it's", "E_ALL"} {
		if random.IntN(8) == 0 {
			text.WriteString([]string{"[s]", "['s]']", "[s", "; c", "n\n"}[random.IntN(5)])
		}
		text.WriteString(name + " =")
		for range random.IntN(7) {
			text.WriteString(tokens[random.IntN(len(tokens))])
		}
		text.WriteString("\n")
	}
	return text.String()
}

// askPHP returns what parse_ini_file makes of each text; nil is a refusal.
func askPHP(t *testing.T, php string, texts []string) []map[string]any {
	t.Helper()
	const script = `
		$all = [];
		foreach (json_decode(file_get_contents($argv[1])) as $text) {
			file_put_contents($argv[2], $text);
			$values = @parse_ini_file($argv[2]);
			$all[] = $values === false ? null : (object) $values;
		}
		echo json_encode($all, JSON_INVALID_UTF8_SUBSTITUTE);`
	input, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	list := writeFile(t, "texts.json", string(input))
	command := exec.Command(php, "-n", "-r", script, "--", list, filepath.Join(t.TempDir(), "test.ini"))
	output, err := command.Output()
	if err != nil {
		t.Fatalf("php: %v", err)
	}
	var all []map[string]any
	if err := json.Unmarshal(output, &all); err != nil {
		t.Fatalf("%v in %.200s", err, output)
	}
	if len(all) != len(texts) {
		t.Fatalf("php answered %d of %d texts", len(all), len(texts))
	}
	return all
}

// TestPHPConstants compares the list with the constants of the PHP that is installed: one that PHP knows and the list
// does not would be read as a text.
func TestPHPConstants(t *testing.T) {
	php := requirePHP(t)
	output, err := exec.Command(php, "-n", "-r", `
		$all = get_defined_constants(true);
		$names = array_keys($all["Core"] + $all["standard"] + $all["date"] + $all["pcre"] + $all["json"]);
		echo json_encode([PHP_MAJOR_VERSION . "." . PHP_MINOR_VERSION, $names]);`).Output()
	if err != nil {
		t.Fatalf("php: %v", err)
	}
	var version string
	var names []string
	if err := json.Unmarshal(output, &[]any{&version, &names}); err != nil || len(names) < 400 {
		t.Fatalf("%d names, error %v", len(names), err)
	}
	for _, name := range names {
		if lower := strings.ToLower(name); lower == "true" || lower == "false" || lower == "null" || isConstant(name) {
			continue
		}
		if version == "8.2" {
			t.Errorf("%s is missing", name)
		} else {
			t.Logf("PHP %s has %s too", version, name)
		}
	}
}
