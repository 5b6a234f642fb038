package admin

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// deadlines notes the deadlines that a handler sets for reading.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

// closedBody is a body that net/http has closed, as it does before it sends the first part of a long answer.
type closedBody struct{}

func (closedBody) Read([]byte) (int, error) { return 0, http.ErrBodyReadAfterClose }
func (closedBody) Close() error             { return nil }

// A long answer leaves the connection to the next request: a deadline in the past would end that request's context.
func TestLongAnswerKeepsTheConnection(t *testing.T) {
	g := &guard{questions: make(chan struct{}, 1), next: http.NotFoundHandler()}
	g.questions <- struct{}{}
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	g.answer(w, httptest.NewRequest(http.MethodPost, explainAt, closedBody{}))
	if len(w.set) != 0 {
		t.Errorf("the deadline for reading was set to %v, want none", w.set)
	}
	if len(g.questions) != 0 {
		t.Error("the place for a question was not given back")
	}
}
