package console

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"strowger/system/service"
)

// actTime is how long an action may take.
const actTime = 20 * time.Second

func (c *Console) handleActions(s service.Setup) {
	service.Handle(s, "connection.disconnect", func(r service.Request, w which) error {
		object := w.ID
		if w.Number != 0 {
			object = strconv.FormatUint(w.Number, 10)
		}
		return c.act(r, object, func(ctx context.Context) (any, error) {
			row, err := c.find(ctx, w)
			if err != nil {
				return nil, err
			}
			return nil, c.source.Disconnect(ctx, row.Number)
		})
	})
	for _, deed := range []string{"restart", "stop", "start", "reset"} {
		service.Handle(s, "service."+deed, func(r service.Request, in struct {
			Name string `json:"name"`
		}) error {
			return c.act(r, in.Name, func(ctx context.Context) (any, error) { return nil, c.source.Order(ctx, in.Name, deed) })
		})
	}
	service.Handle(s, "service.add", func(r service.Request, in struct {
		Name     string            `json:"name"`
		Template string            `json:"template"`
		Args     map[string]string `json:"args"`
	}) error {
		// The values may be secrets.
		object := fmt.Sprintf("%s from %s", in.Name, in.Template)
		return c.act(r, object, func(ctx context.Context) (any, error) {
			return nil, c.source.Add(ctx, in.Name, in.Template, in.Args)
		})
	})
	service.Handle(s, "service.remove", func(r service.Request, in struct {
		Name string `json:"name"`
	}) error {
		return c.act(r, in.Name, func(ctx context.Context) (any, error) { return nil, c.source.Remove(ctx, in.Name) })
	})
	service.Handle(s, "deadletter.replay", func(r service.Request, in struct {
		Number  uint64 `json:"number"`
		Confirm uint64 `json:"confirm"`
	}) error {
		if in.Number == 0 || in.Number != in.Confirm {
			return service.Errorf(400, "confirm must be the number of the dead letter")
		}
		return c.act(r, strconv.FormatUint(in.Number, 10), func(ctx context.Context) (any, error) {
			return c.source.Replay(ctx, in.Number)
		})
	})
}

// done is the answer to an action.
type done struct {
	Result string `json:"result"`
	Audit  uint64 `json:"audit"`
	*Replayed
}

// act carries out an action, if whoever asks may act, and notes it whatever becomes of it.
func (c *Console) act(r service.Request, object string, do func(ctx context.Context) (any, error)) error {
	who := r.Subscriber()
	e := entry{Who: who.User.Name, From: who.DomainName, Action: r.Topic(), Object: clip(object)}
	r.Go(func(context.Context) func() {
		// Not r's context: an action that has begun goes on when its asker leaves.
		ctx, cancel := context.WithTimeout(context.Background(), actTime)
		defer cancel()
		var result any
		err := errMayNot
		if who.Has(mayAct) {
			result, err = do(ctx)
		}
		e.At, e.Result = c.clock.Now(), "ok"
		if err != nil {
			e.Result = clip(err.Error())
		}
		number := c.audit.add(e)
		if err != nil {
			r.FailWith(failure(err))
			return nil
		}
		replayed, _ := result.(*Replayed)
		r.Reply(done{Result: "ok", Audit: number, Replayed: replayed})
		return nil
	})
	return nil
}

var errMayNot error = service.Errorf(403, "you may look but not act")
