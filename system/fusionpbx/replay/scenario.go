package replay

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"testing"
	"time"

	"strowger/system/fusionpbx/switchsim"
)

// Scenario is one recording.
type Scenario struct {
	Name string
	// Doc says what happens.
	Doc string
	// Start is when it was recorded.
	Start     time.Time
	Recording *switchsim.Recording
	// Lines are what services were asked and what they said, in order.
	Lines []Line
	// Clients are those that ask and receive, by name.
	Clients map[string]Client

	got map[int]map[string]json.RawMessage // by line, from 1, and names of clients
}

// Line is one message to or from a service.
type Line struct {
	// Number is the line's place in the file, from 1.
	Number int
	At     time.Duration
	// Service is the name of the service.
	Service string
	// Client is the name of who asks; it is empty for what the service said.
	Client  string
	Message Message
}

// Client is a person with a token.
type Client struct {
	Name        string
	Domain      string          `json:"domain_name"`
	Permissions map[string]bool `json:"permissions"`
	Extensions  []struct {
		User    string `json:"user"`
		Context string `json:"user_context"`
	} `json:"extension"`
	ResourceID string `json:"resource_id"`

	permissions []byte // Permissions as JSON
}

// Load reads the scenario NAME below dir, which has the directory corpus and the file clients.json.
func Load(t testing.TB, dir, name string) *Scenario {
	t.Helper()
	s := &Scenario{Name: name}
	if err := s.load(os.DirFS(dir)); err != nil {
		t.Fatalf("load scenario %s: %v", name, err)
	}
	return s
}

// Names returns the scenarios below dir in which the service has a part, in order.
func Names(t testing.TB, dir, service string) []string {
	t.Helper()
	fsys := os.DirFS(dir)
	entries, err := fs.ReadDir(fsys, "corpus")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		var about about
		if err := readJSON(fsys, path.Join("corpus", entry.Name(), "meta.json"), &about); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(about.Services, service) {
			names = append(names, entry.Name())
		}
	}
	return names
}

// about is what meta.json says.
type about struct {
	Doc      string   `json:"doc"`
	Services []string `json:"services"`
	Start    float64  `json:"wall_start"` // seconds since 1970
}

func (s *Scenario) load(fsys fs.FS) error {
	dir := path.Join("corpus", s.Name)
	var about about
	if err := readJSON(fsys, path.Join(dir, "meta.json"), &about); err != nil {
		return err
	}
	s.Doc, s.Start = about.Doc, time.UnixMilli(int64(about.Start*1000))
	var err error
	if s.Recording, err = switchsim.Load(fsys, dir); err != nil {
		return err
	}
	if err := readJSON(fsys, "clients.json", &s.Clients); err != nil {
		return err
	}
	for name, client := range s.Clients {
		client.Name = name
		var err error
		if client.permissions, err = json.Marshal(client.Permissions); err != nil {
			return err
		}
		s.Clients[name] = client
	}
	if err := s.readService(fsys, path.Join(dir, "service.jsonl")); err != nil {
		return err
	}
	return s.readClients(fsys, path.Join(dir, "clients.jsonl"))
}

func (s *Scenario) readService(fsys fs.FS, name string) error {
	return readLines(fsys, name, func(n int, text []byte) error {
		var l struct {
			T       int64           `json:"t"`
			Service string          `json:"svc"`
			Dir     string          `json:"dir"`
			Client  string          `json:"client"`
			Data    json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		m, err := newMessage(l.Data)
		if err != nil {
			return err
		}
		if (l.Dir == "in") != (l.Client != "") {
			return errors.New("a request without a client, or the reverse")
		}
		s.Lines = append(s.Lines, Line{Number: n, At: time.Duration(l.T) * time.Millisecond, Service: l.Service, Client: l.Client, Message: m})
		return nil
	})
}

func (s *Scenario) readClients(fsys fs.FS, name string) error {
	s.got = map[int]map[string]json.RawMessage{}
	return readLines(fsys, name, func(_ int, text []byte) error {
		var l struct {
			N   int                        `json:"n"`
			Got map[string]json.RawMessage `json:"got"`
			Odd json.RawMessage            `json:"odd"`
		}
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		if l.Odd == nil {
			s.got[l.N] = l.Got
		}
		return nil
	})
}

// readLines calls each with every line, from 1. A file that is not there has none.
func readLines(fsys fs.FS, name string, each func(n int, text []byte) error) error {
	text, err := readFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for i, line := range bytes.Split(bytes.TrimSpace(text), []byte{'\n'}) {
		if err := each(i+1, line); err != nil {
			return fmt.Errorf("%s: line %d: %w", name, i+1, err)
		}
	}
	return nil
}

func readJSON(fsys fs.FS, name string, v any) error {
	text, err := readFile(fsys, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// readFile reads a file that may be gzipped.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	text, err := fs.ReadFile(fsys, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	file, err := fsys.Open(name + ".gz")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unzipped)
}
