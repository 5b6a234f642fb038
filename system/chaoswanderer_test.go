package system

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lxzan/gws"

	"strowger/system/token"
)

// wanderer is a client that connects again and again, asks, listens, reads slowly at times, and keeps books.
type wanderer struct {
	c      *chaos
	random *rand.Rand
	domain string
	number int
	ids    int

	// at is where it is in the ledger, as JSON; last is the last entry that it has heard, -1 for none.
	at   string
	last int
	gap  bool // it was told that it may have missed something

	moves int64 // of the directory of tokens, before its token was made
}

// stay is one connection of a wanderer.
type stay struct {
	gws.BuiltinEventHandler
	w        *wanderer
	conn     *gws.Conn
	admitted chan struct{}
	ended    chan struct{}

	mu    sync.Mutex // Protects following.
	asked map[string]*question
	open  int
	slow  time.Duration // before each message is read
	ready bool
}

// question is a request and what came of it.
type question struct {
	service, payload string
	answers          int
}

// live visits the router until ctx ends.
func (w *wanderer) live(ctx context.Context) {
	w.last, w.at = -1, "null"
	for ctx.Err() == nil {
		w.visit(ctx)
	}
}

// visit connects, does this and that, and leaves in one way or another. When ctx ends it waits for what is open.
func (w *wanderer) visit(ctx context.Context) {
	w.moves = w.c.moves.Load()
	made, ok := w.c.mint(ctx, token.Spec{Kind: token.User, DomainName: w.domain, Services: []string{ledgerName}})
	if !ok {
		return
	}
	s := &stay{w: w, admitted: make(chan struct{}), ended: make(chan struct{}), asked: make(map[string]*question)}
	var err error
	compressed := gws.PermessageDeflate{Enabled: w.number%3 == 0}
	if s.conn, _, err = gws.NewClient(s, &gws.ClientOption{Addr: "ws://" + w.c.proxy.addr + "/", PermessageDeflate: compressed}); err != nil {
		pauseFor(ctx, time.Millisecond)
		return
	}
	w.c.visits.Add(1)
	history := fmt.Sprintf(`{"history":{%q:%s}}`, ledgerName, w.at)
	_ = s.conn.WriteString(fmt.Sprintf(`{"service":"authentication","token":{"name":%q,"hash":%q},"payload":%s}`, made.Name, made.Hash, history))
	go func() {
		defer close(s.ended)
		s.conn.ReadLoop()
	}()
	defer func() {
		_ = s.conn.NetConn().Close()
		<-s.ended
		s.account()
	}()
	select {
	case <-s.admitted:
	case <-s.ended:
		return
	case <-time.After(patience):
		w.c.fail("client %d waits for its 200 in vain", w.number)
		return
	}
	s.wander(ctx)
}

// wander asks until it has had enough.
func (s *stay) wander(ctx context.Context) {
	w := s.w
	for range 1 + w.random.IntN(200) {
		select {
		case <-ctx.Done():
			s.settle()
			return
		case <-s.ended:
			return
		default:
		}
		switch w.random.IntN(40) {
		case 0:
			s.pace(time.Duration(w.random.IntN(5)) * time.Millisecond)
		case 1:
			_ = s.conn.WriteString(`{"service":"` + ledgerName + `","topic":"spoof","domain_name":"b.example","payload":{"d":"b.example","n":-1}}`)
		case 2:
			pauseFor(ctx, time.Duration(w.random.IntN(20))*time.Millisecond)
		default:
			s.ask()
		}
	}
	switch w.random.IntN(3) {
	case 0:
		_ = s.conn.WriteClose(1000, nil)
		<-s.ended
	case 1:
		s.settle()
	}
}

func (s *stay) pace(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// ask sends a request to one of the services. The router asks no more of it than that it comes to an end.
func (s *stay) ask() {
	w := s.w
	w.ids++
	id := fmt.Sprintf("%d-%d", w.number, w.ids)
	q := &question{payload: fmt.Sprintf("%q", id)}
	topic := "echo"
	switch w.random.IntN(12) {
	case 0:
		q.service = "nobody"
	case 1:
		q.service = secretName
	case 2:
		q.service, topic = fragileName, []string{"panic", "exit", "later"}[w.random.IntN(3)]
	case 3, 4, 5:
		q.service = fragileName
	default:
		q.service = echoName
	}
	s.mu.Lock()
	s.asked[id] = q
	s.open++
	s.mu.Unlock()
	w.c.asked.Add(1)
	if err := s.conn.WriteString(fmt.Sprintf(`{"service":%q,"topic":%q,"request_id":%q,"payload":%s}`, q.service, topic, id, q.payload)); err != nil {
		<-s.ended // the reader hears of it too
	}
}

// settle waits until every request has its answer, or the connection is lost.
func (s *stay) settle() {
	s.pace(0)
	late := time.After(patience)
	for {
		s.mu.Lock()
		open := s.open
		s.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-s.ended:
			return
		case <-time.After(time.Millisecond):
		case <-late:
			s.mu.Lock()
			defer s.mu.Unlock()
			for id, q := range s.asked {
				if q.answers == 0 {
					s.w.c.fail("request %s to %s has no answer after %v", id, q.service, patience)
				}
			}
			return
		}
	}
}

// account adds up what came of the requests.
func (s *stay) account() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.asked {
		if q.answers > 0 {
			s.w.c.answered.Add(1)
		} else {
			s.w.c.lostWith.Add(1)
		}
	}
}

// OnMessage implements gws.Event.
func (s *stay) OnMessage(_ *gws.Conn, m *gws.Message) {
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	if slow > 0 {
		<-time.After(slow)
	}
	var e struct {
		reading
		Epoch  string `json:"epoch"`
		Offset int64  `json:"offset"`
	}
	if err := json.Unmarshal(m.Bytes(), &e); err != nil {
		s.w.c.fail("client %d got %.200q: %v", s.w.number, m.Bytes(), err)
		return
	}
	var id string
	_ = json.Unmarshal(e.RequestID, &id) // that of a broadcast may be anything
	switch {
	case e.Service == "authentication":
		s.welcome(&e.reading)
	case id != "":
		s.reply(id, &e.reading)
	case e.Service == ledgerName && string(e.Code) == "404":
		// The forged message is a request, and the ledger is not there yet.
	case e.Service == ledgerName:
		if e.Epoch == "" {
			s.w.c.fail("client %d got %s", s.w.number, m.Bytes())
			return
		}
		s.w.entry(e.Payload, e.Epoch, e.Offset)
	case e.Service == fragileName && e.Topic == "service":
		// The state of a service inside, which everybody hears of.
	default:
		s.w.c.fail("client %d got %s", s.w.number, m.Bytes())
	}
}

// welcome reads an answer to the token.
func (s *stay) welcome(e *reading) {
	switch string(e.Code) {
	case "407":
	case "200":
		var said struct {
			History map[string]struct {
				Epoch     string
				Offset    int64
				Recovered *bool
			}
		}
		if err := json.Unmarshal(e.Payload, &said); err != nil || s.ready {
			s.w.c.fail("client %d got %s", s.w.number, e)
			return
		}
		s.ready = true
		now := said.History[ledgerName]
		if now.Recovered == nil || !*now.Recovered {
			s.w.gap = true
		}
		s.w.stand(now.Epoch, now.Offset)
		close(s.admitted)
	case "401":
		if moves := s.w.c.moves.Load(); moves == s.w.moves && moves%2 == 0 {
			s.w.c.fail("client %d got %s to its token", s.w.number, e)
		}
		_ = s.conn.NetConn().Close() // the file was away
	default:
		s.w.c.fail("client %d got %s to its token", s.w.number, e)
	}
}

func (w *wanderer) stand(epoch string, offset int64) {
	w.at = "null"
	if epoch != "" {
		w.at = fmt.Sprintf(`{"epoch":%q,"offset":%d}`, epoch, offset)
	}
}

// entry compares an entry of the ledger with those before.
func (w *wanderer) entry(payload json.RawMessage, epoch string, offset int64) {
	var said struct {
		D string
		N int
	}
	if err := json.Unmarshal(payload, &said); err != nil {
		w.c.fail("client %d got the entry %s", w.number, payload)
		return
	}
	w.c.entries.Add(1)
	switch {
	case said.D != w.domain:
		w.c.fail("client %d of %s got an entry of %s", w.number, w.domain, said.D)
	case said.N <= w.last:
		w.c.fail("client %d got entry %d after %d", w.number, said.N, w.last)
	case said.N != w.last+1 && w.gap:
		w.c.gaps.Add(1)
	case said.N != w.last+1:
		w.c.fail("client %d got entry %d after %d, and was told of no gap", w.number, said.N, w.last)
	}
	w.last, w.gap = said.N, false
	w.stand(epoch, offset)
}

// reply compares an answer with its request.
func (s *stay) reply(id string, e *reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.asked[id]
	if q == nil {
		s.w.c.fail("client %d got %s, which it has not asked for on this connection", s.w.number, e)
		return
	}
	q.answers++
	if q.answers == 1 {
		s.open--
	} else {
		s.w.c.fail("request %s to %s has %d answers, the last is %s", id, q.service, q.answers, e)
	}
	good := false
	switch code := string(e.Code); q.service {
	case "nobody":
		good = code == "404"
	case secretName:
		good = code == "403"
	case fragileName:
		good = code == "200" && string(e.Payload) == q.payload || code == "500" || code == "503"
	default:
		good = code == "200" && string(e.Payload) == q.payload || code == "503" || code == "504" || code == "404"
	}
	if !good {
		s.w.c.fail("request %s to %s with %s was answered %s", id, q.service, q.payload, e)
	}
}
