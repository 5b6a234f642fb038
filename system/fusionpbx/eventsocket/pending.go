package eventsocket

import (
	"context"
	"sync"
	"time"
)

// outcome is what became of a command.
type outcome struct {
	reply Reply
	err   error
}

// pending is a command that waits for its reply.
type pending struct {
	kind   kind // of the reply
	sent   time.Time
	job    bool // the result of the background command is wanted, not only the answer
	answer chan outcome
	// answered is called on the reader's goroutine in place of answer, for commands of the client's own.
	answered func(Reply, error) error

	mu   sync.Mutex // Protects following.
	gone bool       // nobody waits
}

func (p *pending) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
}

func (p *pending) abandoned() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// wait returns the outcome, or the context's error. The reply still belongs to the command after that.
func (p *pending) wait(ctx context.Context) (Reply, error) {
	select {
	case o := <-p.answer:
		return o.reply, o.err
	case <-ctx.Done():
		p.abandon()
		return Reply{}, ctx.Err()
	}
}
